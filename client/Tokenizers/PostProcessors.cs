using System.Text.Json;

namespace Federated.Client.Tokenizers;

/// <summary><c>ByteLevel</c> as a post-processor: it only trims offsets, so ids do not depend on it; kept for writing the file back.</summary>
public sealed record ByteLevelPostProcessor(bool AddPrefixSpace = true, bool TrimOffsets = false, bool UseRegex = true) : IPostProcessor
{
    /// <inheritdoc/>
    public TokenTemplate? Template => null;

    /// <inheritdoc/>
    public void Write(Utf8JsonWriter json) =>
        new PreTokenisers.ByteLevelPreTokeniser(AddPrefixSpace, UseRegex, TrimOffsets).Write(json);
}

/// <summary>A token by name and id.</summary>
public readonly record struct NamedToken(string Token, int Id)
{
    internal void Write(Utf8JsonWriter json, string name)
    {
        json.WriteStartArray(name);
        json.WriteStringValue(Token);
        json.WriteNumberValue(Id);
        json.WriteEndArray();
    }
}

/// <summary><c>RobertaProcessing</c>: <c>&lt;s&gt; A &lt;/s&gt;</c> and <c>&lt;s&gt; A &lt;/s&gt;&lt;/s&gt; B &lt;/s&gt;</c>, all of segment 0.</summary>
/// <param name="Separator">Ends each text.</param>
/// <param name="Classifier">Begins the whole.</param>
/// <param name="TrimOffsets">Kept for writing the file back.</param>
/// <param name="AddPrefixSpace">Kept for writing the file back.</param>
public sealed record RobertaPostProcessor(NamedToken Separator, NamedToken Classifier, bool TrimOffsets = true, bool AddPrefixSpace = true) : IPostProcessor
{
    /// <inheritdoc/>
    public TokenTemplate Template { get; } = new(
        [new([Classifier.Id], 0, 0), new([], 0, 0), new([Separator.Id], 0, 0)],
        [new([Classifier.Id], 0, 0), new([], 0, 0), new([Separator.Id, Separator.Id], 0, 0), new([], 1, 0), new([Separator.Id], 0, 0)]);

    /// <inheritdoc/>
    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("type", "RobertaProcessing");
        Separator.Write(json, "sep");
        Classifier.Write(json, "cls");
        json.WriteBoolean("trim_offsets", TrimOffsets);
        json.WriteBoolean("add_prefix_space", AddPrefixSpace);
        json.WriteEndObject();
    }
}

/// <summary><c>BertProcessing</c>: <c>[CLS] A [SEP]</c> of segment 0, then <c>B [SEP]</c> of segment 1.</summary>
/// <param name="Separator">Ends each text.</param>
/// <param name="Classifier">Begins the whole.</param>
public sealed record BertPostProcessor(NamedToken Separator, NamedToken Classifier) : IPostProcessor
{
    /// <inheritdoc/>
    public TokenTemplate Template { get; } = new(
        [new([Classifier.Id], 0, 0), new([], 0, 0), new([Separator.Id], 0, 0)],
        [new([Classifier.Id], 0, 0), new([], 0, 0), new([Separator.Id], 0, 0), new([], 1, 1), new([Separator.Id], 0, 1)]);

    /// <inheritdoc/>
    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("type", "BertProcessing");
        Separator.Write(json, "sep");
        Classifier.Write(json, "cls");
        json.WriteEndObject();
    }
}
