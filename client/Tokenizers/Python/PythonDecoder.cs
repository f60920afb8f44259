using System.Text.Json;

namespace Federated.Client.Tokenizers.Python;

/// <summary>Decodes as <c>PreTrainedTokenizer._decode</c> does: tokens that were added to the vocabulary stand for themselves, what is between them is put together by the class.</summary>
/// <param name="own">Tokens that stand for themselves.</param>
/// <param name="spaced">Whether a space goes between them and what is around them: <c>spaces_between_special_tokens</c>.</param>
/// <param name="together">Makes a text of the tokens of a stretch: <c>convert_tokens_to_string</c>.</param>
internal sealed class PythonDecoder(IReadOnlySet<string> own, bool spaced, Func<List<string>, string> together) : IDecoder
{
    public void Decode(List<string> tokens)
    {
        List<string> texts = [], stretch = [];
        foreach (string token in tokens)
        {
            if (!own.Contains(token))
            {
                stretch.Add(token);
                continue;
            }

            if (stretch.Count > 0 && together(stretch) is { Length: > 0 } before)
                texts.Add(before);

            stretch = [];
            texts.Add(token);
        }

        if (stretch.Count > 0)
            texts.Add(together(stretch));

        tokens.Clear();
        tokens.Add(string.Join(spaced ? " " : "", texts));
    }

    public void Write(Utf8JsonWriter json) => throw new NotSupportedException("tokenizer.json has no such decoder; copy the vocabulary files.");
}
