using Federated.Client.Data;

namespace Federated.Client.Training;

/// <summary>Numbers the values of a field that examples are grouped by. The values may be anything; only so many are taken.</summary>
/// <param name="by">Name of the field; null for one group of all.</param>
internal sealed class GroupNames(string? by)
{
    /// <summary>The group of examples that lack the field.</summary>
    public const string Missing = "(none)";

    /// <summary>Most groups: a field with more values is no group but an id or a text.</summary>
    public const int Most = 200;

    /// <summary>Longest value in characters.</summary>
    public const int Longest = 100;

    private readonly Dictionary<string, int> _numbers = by is null ? new(StringComparer.Ordinal) { [""] = 0 } : new(StringComparer.Ordinal);

    /// <summary>The names by number, in the order in which they first occurred.</summary>
    public IReadOnlyList<string> Names => [.. _numbers.OrderBy(entry => entry.Value).Select(entry => entry.Key)];

    /// <summary>The number of an example's group.</summary>
    /// <exception cref="DataFormatException">Its value is no single one, or too long, or there are too many.</exception>
    public int Of(DataRecord record)
    {
        if (by is null)
            return 0;

        string name = record.Fields.ContainsKey(by) ? record.Scalar(by) : Missing;
        if (_numbers.TryGetValue(name, out int number))
            return number;

        if (name.Length > Longest)
            throw record.Wrong($"the field '{by}' has {name.Length} characters; a group's name has at most {Longest}. Choose another field with --by.");
        if (_numbers.Count == Most)
            throw record.Wrong($"the field '{by}' has more than {Most} different values up to here; choose a field with fewer with --by.");

        _numbers.Add(name, _numbers.Count);
        return _numbers.Count - 1;
    }
}
