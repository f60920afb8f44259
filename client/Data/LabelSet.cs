using System.Collections.Frozen;
using System.Globalization;

namespace Federated.Client.Data;

/// <summary>The class names of a task, in the order of the model's outputs.</summary>
public sealed class LabelSet
{
    private readonly FrozenDictionary<string, int> _indices;
    private readonly bool _takesNumbers;

    /// <summary>Takes the names of a plan.</summary>
    /// <exception cref="ArgumentException">There are fewer than two names, or one occurs twice or is empty.</exception>
    public LabelSet(IReadOnlyList<string> names)
    {
        if (names.Count < 2 || names.Any(string.IsNullOrEmpty) || names.Distinct(StringComparer.Ordinal).Count() != names.Count)
            throw new ArgumentException($"labels are [{string.Join(", ", names)}]; wanted two or more different names.", nameof(names));

        Names = names;
        _indices = names.Index().ToFrozenDictionary(entry => entry.Item, entry => entry.Index, StringComparer.Ordinal);
        _takesNumbers = !names.Any(name => int.TryParse(name, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _));
    }

    /// <summary>Names by index.</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>The index of an example's label: its name, or its number from 0 where no name is a number.</summary>
    /// <exception cref="DataFormatException">The label is none of these. The message names the place and the names, not the label, which may be text in the wrong column.</exception>
    public int IndexOf(LabelledText example) => IndexOf(example.Label, example.File, example.Line);

    /// <summary>The same for the label of an example in a line of a file, 0 for a file as a whole.</summary>
    internal int IndexOf(string? found, string file, int line)
    {
        if (found is { } label)
        {
            if (_indices.TryGetValue(label, out int index))
                return index;
            if (_takesNumbers && int.TryParse(label, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number < Names.Count)
                return number;
        }

        throw new DataFormatException(file, line, $"its label ({found?.Length ?? 0} characters) is unknown; known labels: {string.Join(", ", Names)}. Correct the label, or choose its column with --label-column.");
    }
}
