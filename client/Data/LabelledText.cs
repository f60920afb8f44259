namespace Federated.Client.Data;

/// <summary>One private example. Its <see cref="ToString"/> gives place and length only, so that no log or message ever shows the text.</summary>
/// <param name="Text">The text.</param>
/// <param name="Label">Its class name; null when labels were not asked for.</param>
/// <param name="File">File that it was read from.</param>
/// <param name="Line">Line where it starts, from 1.</param>
/// <param name="Metadata">Further fields by name, such as the folder or the source.</param>
public sealed record LabelledText(string Text, string? Label, string File, int Line, IReadOnlyDictionary<string, string> Metadata)
{
    /// <summary>Place and length.</summary>
    public override string ToString() => $"{File}:{Line} ({Text.Length} characters)";
}
