using System.Text;
using System.Text.Json;
using Federated.Client.Tokenizers.Characters;

namespace Federated.Client.Tokenizers.Python;

/// <summary>The first step of <c>BasicTokenizer</c>: control characters, unassigned ones and U+FFFD dropped, white space made spaces, Chinese characters set apart.</summary>
/// <param name="ChineseApart"><c>tokenize_chinese_chars</c>.</param>
internal sealed record BasicCleaner(bool ChineseApart) : INormaliser
{
    public ReadOnlySpan<char> Normalise(ReadOnlySpan<char> text, TextBuffer buffer)
    {
        if (text.IndexOfAnyExceptInRange(' ', '~') < 0)
            return text;

        buffer.Clear();
        for (int position = 0, length; position < text.Length; position += length)
        {
            int code = CodePoints.At(text, position, out length);
            if (code == Rune.ReplacementChar.Value || CharacterClasses.Is(code, CharacterClass.Control | CharacterClass.Unassigned))
                continue;

            bool apart = ChineseApart && CharacterClasses.IsChinese(code);
            if (apart)
                buffer.Append(' ');

            buffer.Append(CharacterClasses.Is(code, CharacterClass.Space) ? ' ' : code);
            if (apart)
                buffer.Append(' ');
        }

        return buffer.Text;
    }

    public void Write(Utf8JsonWriter json) => throw new NotSupportedException("tokenizer.json has no such stage; copy the vocabulary files.");
}
