using System.Text.Json;
using Federated.Client.Tokenizers.Normalisers;
using Federated.Client.Tokenizers.PreTokenisers;

namespace Federated.Client.Tokenizers.Python;

/// <summary>The other steps of <c>BasicTokenizer</c>: words between white space, in lower case and without accents if wished, punctuation marks apart.</summary>
/// <param name="lowercase"><c>do_lower_case</c>.</param>
/// <param name="stripAccents">Whether letters lose their accents.</param>
/// <param name="whole"><c>never_split</c> and special tokens: words that are left as they are.</param>
internal sealed class BasicWords(bool lowercase, bool stripAccents, IReadOnlySet<string> whole) : IPreTokeniser
{
    private static readonly WhitespaceSplitPreTokeniser Words = new();
    private static readonly BertPreTokeniser Marks = new();
    private readonly BertNormaliser _tidy = new(CleanText: false, HandleChineseChars: false, stripAccents, lowercase);

    public ReadOnlySpan<char> Prepare(ReadOnlySpan<char> text, TextBuffer buffer, bool begins)
    {
        if (whole.Count == 0)
            return _tidy.Normalise(text, buffer);

        List<TextPiece> words = [];
        Words.Split(text, words);
        buffer.Clear();
        foreach (TextPiece piece in words)
        {
            ReadOnlySpan<char> word = text.Slice(piece.Start, piece.Length);
            buffer.Append(whole.Contains(word.ToString()) ? word : _tidy.Normalise(word, buffer.Scratch));
            buffer.Append(' ');
        }

        return buffer.Text;
    }

    public void Split(ReadOnlySpan<char> text, List<TextPiece> pieces)
    {
        if (whole.Count == 0)
        {
            Marks.Split(text, pieces);
            return;
        }

        List<TextPiece> words = [], parts = [];
        Words.Split(text, words);
        foreach (TextPiece word in words)
        {
            ReadOnlySpan<char> content = text.Slice(word.Start, word.Length);
            if (whole.Contains(content.ToString()))
            {
                pieces.Add(word);
                continue;
            }

            parts.Clear();
            Marks.Split(content, parts);
            pieces.AddRange(parts.Select(part => new TextPiece(word.Start + part.Start, part.Length)));
        }
    }

    public void Write(Utf8JsonWriter json) => throw new NotSupportedException("tokenizer.json has no such stage; copy the vocabulary files.");
}
