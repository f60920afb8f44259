using System.Collections.Frozen;

namespace Federated.Client.Data;

/// <summary>The class names of a task, in the order of the model's outputs.</summary>
public sealed class LabelSet
{
    private readonly FrozenDictionary<string, int> _indices;

    /// <summary>Takes the names of a plan.</summary>
    /// <exception cref="ArgumentException">There are fewer than two names, or one occurs twice or is empty.</exception>
    public LabelSet(IReadOnlyList<string> names)
    {
        if (names.Count < 2 || names.Any(string.IsNullOrEmpty) || names.Distinct(StringComparer.Ordinal).Count() != names.Count)
            throw new ArgumentException($"labels are [{string.Join(", ", names)}]; wanted two or more different names.", nameof(names));

        Names = names;
        _indices = names.Index().ToFrozenDictionary(entry => entry.Item, entry => entry.Index, StringComparer.Ordinal);
    }

    /// <summary>Names by index.</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>The index of an example's label.</summary>
    /// <exception cref="DataFormatException">The label is none of the names. The message names the place and the names, not the label, which may be text in the wrong column.</exception>
    public int IndexOf(LabelledText example) => example.Label is { } label && _indices.TryGetValue(label, out int index)
        ? index
        : throw new DataFormatException(example.File, example.Line, $"its label ({example.Label?.Length ?? 0} characters) is unknown; known labels: {string.Join(", ", Names)}. Correct the label, or choose its column with --label-column.");
}
