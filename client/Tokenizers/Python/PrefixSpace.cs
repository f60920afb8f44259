using System.Text.Json;

namespace Federated.Client.Tokenizers.Python;

/// <summary>Puts a space in front of a whole text: <c>prepare_for_tokenization</c> of the classes with <c>add_prefix_space</c>.</summary>
/// <param name="Always">Also in front of white space and of nothing, as GPT-2's class does; RoBERTa's does not.</param>
internal sealed record PrefixSpace(bool Always) : INormaliser
{
    public ReadOnlySpan<char> Normalise(ReadOnlySpan<char> text, TextBuffer buffer)
    {
        if (!Always && (text.IsEmpty || char.IsWhiteSpace(text[0])))
            return text;

        buffer.Clear();
        buffer.Append(' ');
        buffer.Append(text);
        return buffer.Text;
    }

    public void Write(Utf8JsonWriter json) => throw new NotSupportedException("tokenizer.json has no such stage; copy the vocabulary files.");
}
