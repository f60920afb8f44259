using System.Text.Json;
using Federated.Client.ChatTemplates;
using Federated.Client.Models;
using Federated.Client.Tokenizers;
using Federated.Client.Tokenizers.Files;
using Federated.Shared.Peft;
using Federated.Shared.Tensors;

namespace Federated.Client.Inspection;

/// <summary>Says what is in a model or adapter folder. Of tensor files only headers are read, whatever their size.</summary>
public static class Inspector
{
    /// <summary>Whether a folder holds an adapter rather than a model.</summary>
    public static bool IsAdapter(string folder) => File.Exists(Path.Combine(folder, AdapterFolder.ConfigFile));

    /// <summary>What is in a model folder.</summary>
    /// <exception cref="CheckpointException">The folder is no usable checkpoint; the message lists everything wrong with it.</exception>
    /// <exception cref="TensorFormatException">A tensor file is damaged.</exception>
    public static CheckpointReport Checkpoint(string folder, MemoryOptions options)
    {
        (ModelConfig config, bool hasHead) = CheckpointReader.Describe(folder);
        CheckpointOutline outline = CheckpointReader.Outline(folder, new() { Task = hasHead ? null : config.Task });
        using CheckpointFiles files = outline.Files;
        using PretrainedModel model = outline.Model;
        TextModelConfig? text = config as TextModelConfig;
        if (options.MaxTokens > text?.MaxPositions)
            throw new CheckpointException($"{folder}: the model takes at most {text.MaxPositions} tokens, {options.MaxTokens} were asked for.");

        HashSet<string> read = [.. outline.Stored.Values.Select(stored => stored.Info.Name)];
        return new()
        {
            Architecture = config.ModelType,
            Class = hasHead ? config.ClassName : Architectures.Of(config).BareClass,
            Task = hasHead ? JsonNamingPolicy.SnakeCaseLower.ConvertName(config.Task.ToString()) : null,
            Parameters = outline.Stored.Values.Sum(stored => stored.Info.ElementCount),
            Parts = ParameterParts.Count(model, outline.Stored.Keys),
            StoredBytes = Bytes(outline.Stored.Values.Select(stored => stored.Info)),
            Files = files.Files.ToDictionary(file => Path.GetFileName(file.Path), file => file.Header.FileLength, StringComparer.Ordinal),
            Ignored = [.. files.Tensors.Keys.Where(name => !read.Contains(name)).Order(StringComparer.Ordinal)],
            ContextLength = text?.MaxPositions,
            VocabularySize = text?.VocabularySize,
            Labels = hasHead && config.IsClassifier ? config.Labels : null,
            Tokenizer = text is null ? null : Tokenizer(folder),
            ChatTemplate = HasChatTemplate(folder),
            Memory = MemoryEstimate.Of(model, options),
        };
    }

    /// <summary>What is in an adapter folder.</summary>
    /// <param name="folder">The adapter.</param>
    /// <param name="model">Its base model's folder, for the share; null for none.</param>
    /// <exception cref="PeftFormatException">The folder is no usable adapter.</exception>
    /// <exception cref="TensorFormatException">The tensor file is damaged.</exception>
    public static AdapterReport Adapter(string folder, string? model = null)
    {
        PeftConfig config = PeftConfig.ReadFile(Path.Combine(folder, AdapterFolder.ConfigFile));
        string weights = Path.Combine(folder, AdapterFolder.WeightsFile);
        if (!File.Exists(weights))
            throw new PeftFormatException($"{weights} is missing; an adapter folder holds {AdapterFolder.ConfigFile} and {AdapterFolder.WeightsFile}.");

        using SafetensorsFile file = SafetensorsFile.Open(weights);
        long parameters = file.Tensors.Sum(tensor => tensor.ElementCount);
        return new()
        {
            PeftType = config.PeftType,
            TaskType = config.TaskType,
            BaseModel = config.BaseModelNameOrPath,
            TargetModules = config.TargetModules.Names ?? (config.TargetModules.Pattern is { } pattern ? [pattern] : []),
            ModulesToSave = config.ModulesToSave ?? [],
            Ranks = [.. file.Tensors.Select(Rank).OfType<long>().Distinct().Order()],
            Modules = file.Tensors.Select(tensor => Module(tensor.Name)).OfType<string>().Distinct(StringComparer.Ordinal).Count(),
            Parameters = parameters,
            StoredBytes = Bytes(file.Tensors),
            ShareOfModel = model is null ? null : (double)parameters / Checkpoint(model, new()).Parameters,
        };
    }

    private static long? Rank(TensorInfo tensor) =>
        PeftNames.TryParse(tensor.Name, out PeftTensorName? name) && name.Part is PeftPart.LoraA or PeftPart.EmbeddingA && tensor.Shape.Count > 0 ? tensor.Shape[0] : null;

    // A name ends with the tensor's own in its module: one step, or two where that is "lora_A.weight" or the like.
    private static string? Module(string tensor)
    {
        if (PeftNames.TryParse(tensor, out PeftTensorName? name) && name.Part != PeftPart.Whole)
            return name.Module;
        int end = tensor.LastIndexOf('.');
        return end < 0 ? null : tensor[..end];
    }

    private static Dictionary<string, long> Bytes(IEnumerable<TensorInfo> tensors) =>
        tensors.GroupBy(tensor => tensor.DType.SafetensorsName()).OrderBy(group => group.Key, StringComparer.Ordinal).ToDictionary(group => group.Key, group => group.Sum(tensor => tensor.Length), StringComparer.Ordinal);

    private static TokenizerReport? Tokenizer(string folder)
    {
        try
        {
            Tokenizer tokenizer = TokenizerFolder.Read(folder);
            return new(tokenizer.Parts.Model.GetType().Name.Replace("Model", "", StringComparison.Ordinal), tokenizer.VocabularySize, null);
        }
        catch (FileNotFoundException)
        {
            return null;
        }
        catch (TokenizerFormatException problem)
        {
            return new(null, null, problem.Message);
        }
    }

    private static bool HasChatTemplate(string folder) =>
        CheckpointFolder.Find(folder, ChatTemplateFiles.Jinja) is not null || ChatTemplateFiles.Config(folder).Template is { ValueKind: not JsonValueKind.Null };
}
