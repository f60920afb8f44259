using System.Globalization;
using System.Text.RegularExpressions;
using Federated.Client.Data;
using Federated.Client.Models;

namespace Federated.Client.Training.Tasks;

/// <summary>Finds the class names of a task where nobody gave them.</summary>
public static partial class LabelNames
{
    /// <summary>Most classes that are taken from data: a field with more values is no label.</summary>
    public const int Most = 1000;

    /// <summary>Those of the checkpoint if it was given real ones, otherwise those that occur in the data, sorted: numbers by value, names by their characters.</summary>
    /// <param name="model">The names that the checkpoint's configuration has for its head; empty for another head.</param>
    /// <param name="source">The data.</param>
    /// <param name="task">What the data is read for.</param>
    /// <exception cref="DataFormatException">The data has fewer than two labels, or more than <see cref="Most"/>.</exception>
    public static IReadOnlyList<string> Find(IReadOnlyList<string> model, TaskSource source, ModelTask task = ModelTask.SequenceClassification)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(source);
        if (model.Count >= 2 && !model.Any(name => Unnamed().IsMatch(name)))
            return model;
        return OfData(source, task == ModelTask.ImageClassification
            ? ImageClassificationTask.Records(source).Select(record => (record.Scalar(source.LabelColumn), record.File, record.Line))
            : TextFiles.Read(source.Path, source.TextOptions).Select(example => (example.Label!, example.File, example.Line)));
    }

    private static string[] OfData(TaskSource source, IEnumerable<(string Label, string File, int Line)> examples)
    {
        HashSet<string> found = new(StringComparer.Ordinal);
        foreach ((string label, string file, int line) in examples)
        {
            if (found.Add(label) && found.Count > Most)
                throw new DataFormatException(file, line, $"there are more than {Most} different labels up to here; wanted a class. Choose its column with --label-column, or name the classes with --labels.");
        }

        if (found.Count < 2 || found.Contains(""))
            throw new DataFormatException(source.Path, 0, $"there are {found.Count} different labels{(found.Contains("") ? ", one of them empty" : "")}; wanted two or more. Name the classes with --labels, or choose their column with --label-column.");
        return found.All(label => long.TryParse(label, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _))
            ? [.. found.OrderBy(label => long.Parse(label, CultureInfo.InvariantCulture))]
            : [.. found.Order(StringComparer.Ordinal)];
    }

    /// <summary>What transformers calls classes that nobody named.</summary>
    [GeneratedRegex(@"\ALABEL_[0-9]+\z", RegexOptions.CultureInvariant)]
    private static partial Regex Unnamed();
}
