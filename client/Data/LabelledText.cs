namespace Federated.Client.Data;

/// <summary>One private example. Its <see cref="ToString"/> gives place and length only, so that no log or message ever shows the text.</summary>
/// <param name="Text">The text.</param>
/// <param name="Label">Its class name; null when labels were not asked for.</param>
/// <param name="File">File that it was read from.</param>
/// <param name="Line">Line where it starts, from 1.</param>
/// <param name="Metadata">Further fields by name, such as the folder or the source.</param>
public sealed record LabelledText(string Text, string? Label, string File, int Line, IReadOnlyDictionary<string, string> Metadata)
{
    /// <summary>The second text of a pair; null for a single one.</summary>
    public string? Pair { get; init; }

    /// <summary>Place and length.</summary>
    public override string ToString() => $"{File}:{Line} ({Text.Length} characters)";

    /// <summary>Takes the fields of a layout from a record: text, second text if there is one, and label if it is asked for.</summary>
    internal static LabelledText Of(DataRecord record, FieldLayout layout, string? labelColumn)
    {
        IReadOnlyList<DataField> way = layout.Find(record.Fields.ContainsKey)!;
        int texts = way.Count - (labelColumn is null ? 0 : 1);
        HashSet<string> taken = [.. way.Select(field => field.Name)];
        return new(
            record.Text(way[0].Name), labelColumn is null ? null : record.Scalar(labelColumn), record.File, record.Line,
            record.Fields.Where(field => field.Value.IsScalar && !taken.Contains(field.Key))
                .ToDictionary(field => field.Key, field => field.Value.Content, StringComparer.Ordinal))
        {
            Pair = texts == 2 ? record.Text(way[1].Name) : null,
        };
    }
}
