namespace Federated.Client.Data;

/// <summary>How a file of texts is read.</summary>
public sealed record TextFileOptions
{
    /// <summary>Field or column with the text.</summary>
    public string TextColumn { get; init; } = "text";

    /// <summary>Field or column with the label; null when texts have none.</summary>
    public string? LabelColumn { get; init; } = "label";

    /// <summary>Bytes that one line of JSON, or characters that one record of CSV may have.</summary>
    public int MaxLineLength { get; init; } = 4 << 20;

    /// <summary>Bytes that one document of a plain text file may have.</summary>
    public int MaxDocumentLength { get; init; } = 256 << 20;

    /// <summary>Bytes that a file may have, after inflation if it is compressed.</summary>
    public long MaxFileBytes { get; init; } = 16L << 30;
}
