using System.Text.Json;
using Federated.Client.Tokenizers.Characters;
using Federated.Client.Tokenizers.Normalisers;

namespace Federated.Client.Tokenizers.Python;

/// <summary>Makes a whole text lower case but for tokens that are to be found in it: the first step of a class with <c>do_lower_case</c>.</summary>
/// <param name="kept">Tokens left as they are; where several fit, the first in this order.</param>
internal sealed class PythonLowercase(IReadOnlyList<string> kept) : INormaliser
{
    private readonly ILookup<char, string> _byFirst = kept.ToLookup(token => token[0]);

    public ReadOnlySpan<char> Normalise(ReadOnlySpan<char> text, TextBuffer buffer)
    {
        buffer.Clear();
        for (int position = 0, length; position < text.Length; position += length)
        {
            length = KeptLength(text[position..]);
            if (length > 0)
                buffer.Append(text.Slice(position, length));
            else
                LowercaseNormaliser.Append(CodePoints.At(text, position, out length), lower: true, buffer);
        }

        return buffer.Text;
    }

    public void Write(Utf8JsonWriter json) => throw new NotSupportedException("tokenizer.json has no such stage; copy the vocabulary files.");

    private int KeptLength(ReadOnlySpan<char> text)
    {
        foreach (string token in _byFirst[text[0]])
        {
            if (text.StartsWith(token, StringComparison.Ordinal))
                return token.Length;
        }

        return 0;
    }
}
