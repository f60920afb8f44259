using System.Text;
using Federated.Coordinator.Aggregation;
using Federated.Coordinator.Rounds;
using YamlDotNet.Core;

namespace Federated.Coordinator.RunFiles;

/// <summary>A run's description that cannot be used: all that is wrong with it, at once.</summary>
internal sealed class RunFileException(IReadOnlyList<string> errors) : Exception(string.Join(Environment.NewLine, errors))
{
    /// <summary>One sentence each, beginning with the file.</summary>
    public IReadOnlyList<string> Errors { get; } = errors;
}

/// <summary>A run read from its YAML file.</summary>
/// <param name="Definition">The run, checked.</param>
/// <param name="ModelFolder">Absolute path of the base model's folder.</param>
/// <param name="Rule">Its aggregation rule.</param>
internal sealed record RunFile(RunDefinition Definition, string ModelFolder, IAggregationRule Rule)
{
    private const int LargestFile = 64 * 1024;

    /// <summary>Reads and checks several files together.</summary>
    /// <exception cref="RunFileException">Anything is wrong with any of them.</exception>
    public static IReadOnlyList<RunFile> ReadAll(IReadOnlyList<string> paths, AggregationRules rules)
    {
        List<string> errors = [];
        List<RunFile> runs = [];
        foreach (string path in paths)
        {
            List<string> own = [];
            if (Read(path, rules, own) is { } run && own.Count == 0)
                runs.Add(run);
            errors.AddRange(own.Select(error => $"{path}: {error}"));
        }

        if (errors.Count == 0)
            RunOrder.Check(runs.ConvertAll(run => run.Definition), errors);
        return errors.Count == 0 ? runs : throw new RunFileException(errors);
    }

    private static RunFile? Read(string path, AggregationRules rules, List<string> errors)
    {
        try
        {
            using FileStream file = File.OpenRead(path);
            if (file.Length > LargestFile)
            {
                errors.Add($"has {file.Length} bytes; a run's description has at most {LargestFile}.");
                return null;
            }

            // UTF-8 and nothing else, with or without its mark.
            using StreamReader text = new(file, new UTF8Encoding(encoderShouldEmitUTF8Identifier: true, throwOnInvalidBytes: true), detectEncodingFromByteOrderMarks: false);
            YamlTree root = YamlTree.Parse(text);
            if (root is YamlMap map)
                return RunFileReader.Read(map, Path.GetDirectoryName(Path.GetFullPath(path))!, rules, errors);

            errors.Add($"line {root.Line}: a mapping of keys and values was expected, for example 'run: mail'.");
        }
        catch (YamlException e)
        {
            errors.Add($"line {e.Start.Line}, column {e.Start.Column}: {e.Message}");
        }
        catch (DecoderFallbackException)
        {
            errors.Add("is not UTF-8 text.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            errors.Add($"cannot be read: {e.Message}");
        }

        return null;
    }
}
