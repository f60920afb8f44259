using System.Text.Json;

namespace Federated.Client.Tokenizers.PreTokenisers;

/// <summary><c>ByteLevel</c>: cuts as GPT-2 does and has the model work on bytes.</summary>
/// <param name="AddPrefixSpace"><c>add_prefix_space</c>: a text that does not begin with a space gets one.</param>
/// <param name="UseRegex"><c>use_regex</c>: cut with GPT-2's pattern; otherwise stages before this one have cut.</param>
/// <param name="TrimOffsets"><c>trim_offsets</c>: kept for writing the file back; ids do not depend on it.</param>
public sealed record ByteLevelPreTokeniser(bool AddPrefixSpace = false, bool UseRegex = true, bool TrimOffsets = true) : IPreTokeniser
{
    /// <inheritdoc/>
    public bool MapsBytes => true;

    /// <inheritdoc/>
    public ReadOnlySpan<char> Prepare(ReadOnlySpan<char> text, TextBuffer buffer, bool begins)
    {
        if (!AddPrefixSpace || text is [' ', ..])
            return text;

        buffer.Clear();
        buffer.Append(" ");
        buffer.Append(text);
        return buffer.Text;
    }

    /// <inheritdoc/>
    public void Split(ReadOnlySpan<char> text, List<TextPiece> pieces)
    {
        if (UseRegex)
            Gpt2Words.Split(text, pieces);
        else if (!text.IsEmpty)
            pieces.Add(new(0, text.Length));
    }

    /// <inheritdoc/>
    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("type", "ByteLevel");
        json.WriteBoolean("add_prefix_space", AddPrefixSpace);
        json.WriteBoolean("trim_offsets", TrimOffsets);
        json.WriteBoolean("use_regex", UseRegex);
        json.WriteEndObject();
    }
}
