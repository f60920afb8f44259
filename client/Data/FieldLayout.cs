namespace Federated.Client.Data;

/// <summary>A field that a task reads.</summary>
/// <param name="Name">Its name in the file.</param>
/// <param name="Option">The command-line option that gives it another name; null where there is none.</param>
public sealed record DataField(string Name, string? Option);

/// <summary>The ways in which files spell what a task reads, the preferred one first: those of one way all have to be there.</summary>
public sealed class FieldLayout(params IReadOnlyList<IReadOnlyList<DataField>> ways)
{
    /// <summary>The ways, in order of preference.</summary>
    public IReadOnlyList<IReadOnlyList<DataField>> Ways => ways;

    /// <summary>The first way of which every field is there; null if there is none.</summary>
    public IReadOnlyList<DataField>? Find(Func<string, bool> has) => ways.FirstOrDefault(way => way.All(field => has(field.Name)));

    /// <summary>Checks the fields of a JSON record.</summary>
    internal void Require(IReadOnlyDictionary<string, DataValue> fields, string file, int line)
    {
        if (Find(fields.ContainsKey) is not null)
            return;

        (DataField missing, _) = Nearest(fields.ContainsKey);
        throw new DataFormatException(file, line, $"the field '{missing.Name}' is missing or null; wanted it on every line.{Advice(missing)}");
    }

    /// <summary>Checks the columns of a header.</summary>
    internal void RequireColumns(string[] header, string file, int line)
    {
        if (Find(name => header.Contains(name, StringComparer.Ordinal)) is not null)
            return;

        (DataField missing, IReadOnlyList<DataField> wanted) = Nearest(name => header.Contains(name, StringComparer.Ordinal));
        string names = string.Join(" and ", wanted.Select(field => $"'{field.Name}'"));
        throw new DataFormatException(file, line, $"there is no column '{missing.Name}'; the columns are {string.Join(", ", header.Select(name => $"'{Shown(name)}'"))}, wanted {names}.{Advice(missing)}");
    }

    /// <summary>A file without a header has private data where the names should be: only what looks like a name is shown.</summary>
    internal static string Shown(string name) =>
        name.Length is > 0 and <= 32 && name.All(character => char.IsAsciiLetterOrDigit(character) || character is '_' or '-' or '.') ? name : $"({name.Length} characters)";

    /// <summary>The preferred way in words.</summary>
    internal string Preferred => string.Join(" and ", Nearest(_ => false).Wanted.Select(wanted => $"'{wanted.Name}'"));

    /// <summary>What is missing of the way of which the least is missing.</summary>
    private (DataField Missing, IReadOnlyList<DataField> Wanted) Nearest(Func<string, bool> has)
    {
        IReadOnlyList<DataField> nearest = ways.MinBy(way => way.Count(field => !has(field.Name)))!;
        return (nearest.First(field => !has(field.Name)), nearest);
    }

    private static string Advice(DataField missing) => missing.Option is { } option ? $" If yours has another name, say so with {option}." : "";
}
