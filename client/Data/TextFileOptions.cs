namespace Federated.Client.Data;

/// <summary>How a file of texts is read.</summary>
public sealed record TextFileOptions
{
    /// <summary>The names that pairs of texts go by where <see cref="TextColumn"/> is null, and single texts: those of the GLUE tasks, and ours first.</summary>
    private static readonly string[][] KnownTexts =
        [["text", "text_pair"], ["text"], ["sentence1", "sentence2"], ["premise", "hypothesis"], ["question1", "question2"], ["question", "sentence"], ["sentence"]];

    /// <summary>Field or column with the text; null to find it by the names that are usual, of which <c>text</c> is the first.</summary>
    public string? TextColumn { get; init; }

    /// <summary>Field or column with the second text of a pair; null for one by a usual name, if there is one and <see cref="TextColumn"/> is null too.</summary>
    public string? PairColumn { get; init; }

    /// <summary>Whether texts may come in pairs; without, only <c>text</c> is a usual name.</summary>
    public bool Pairs { get; init; }

    /// <summary>Field or column with the label; null when texts have none.</summary>
    public string? LabelColumn { get; init; } = "label";

    /// <summary>Bytes that one line of JSON, or characters that one record of CSV may have.</summary>
    public int MaxLineLength { get; init; } = 4 << 20;

    /// <summary>Bytes that one document of a plain text file may have.</summary>
    public int MaxDocumentLength { get; init; } = 256 << 20;

    /// <summary>Bytes that a file may have, after inflation if it is compressed.</summary>
    public long MaxFileBytes { get; init; } = 16L << 30;

    /// <summary>The fields that follow from the names.</summary>
    internal FieldLayout Layout()
    {
        string[][] texts = (TextColumn, PairColumn) switch
        {
            (null, null) => Pairs ? KnownTexts : [["text"]],
            ({ } text, null) => [[text]],
            (var text, { } pair) => [[text ?? "text", pair]],
        };
        return new([.. texts.Select(Way)]);
    }

    private DataField[] Way(string[] texts)
    {
        DataField[] fields = [.. texts.Select((name, index) => new DataField(name, index == 0 ? "--text-column" : "--pair-column"))];
        return LabelColumn is { } label ? [.. fields, new(label, "--label-column")] : fields;
    }
}
