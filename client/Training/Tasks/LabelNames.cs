using System.Globalization;
using System.Text.RegularExpressions;
using Federated.Client.Data;

namespace Federated.Client.Training.Tasks;

/// <summary>Finds the class names of a task where nobody gave them.</summary>
public static partial class LabelNames
{
    /// <summary>Most classes that are taken from data: a field with more values is no label.</summary>
    public const int Most = 1000;

    /// <summary>Those of the checkpoint if it was given real ones, otherwise those that occur in the data, sorted: numbers by value, names by their characters.</summary>
    /// <param name="model">The names that the checkpoint's configuration has for its head; empty for another head.</param>
    /// <param name="source">The data.</param>
    /// <exception cref="DataFormatException">The data has fewer than two labels, or more than <see cref="Most"/>.</exception>
    public static IReadOnlyList<string> Find(IReadOnlyList<string> model, TaskSource source)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(source);
        return model.Count >= 2 && !model.Any(name => Unnamed().IsMatch(name)) ? model : OfData(source);
    }

    private static string[] OfData(TaskSource source)
    {
        HashSet<string> found = new(StringComparer.Ordinal);
        foreach (LabelledText example in TextFiles.Read(source.Path, source.TextOptions))
        {
            if (found.Add(example.Label!) && found.Count > Most)
                throw new DataFormatException(example.File, example.Line, $"there are more than {Most} different labels up to here; wanted a class. Choose its column with --label-column, or name the classes with --labels.");
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
