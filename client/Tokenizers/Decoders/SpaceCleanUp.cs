namespace Federated.Client.Tokenizers.Decoders;

/// <summary>Takes out spaces that tokenization put before punctuation and English contractions.</summary>
public static class SpaceCleanUp
{
    private static readonly (string Spaced, string Tidy)[] Punctuation = [(" .", "."), (" ?", "?"), (" !", "!"), (" ,", ","), (" ' ", "'"), (" n't", "n't"), (" 'm", "'m")];

    private static readonly (string Spaced, string Tidy)[] Contractions = [(" 's", "'s"), (" 've", "'ve"), (" 're", "'re")];

    /// <summary>What the transformers library does to a decoded text under <c>clean_up_tokenization_spaces</c>.</summary>
    public static string OfText(string text) => Replace(Replace(text, Punctuation), Contractions);

    /// <summary>What the tokenizers library's <c>cleanup</c> does to each token: that, and one replacement more.</summary>
    internal static string OfToken(string token) =>
        Replace(Replace(token, Punctuation).Replace(" do not", " don't", StringComparison.Ordinal), Contractions);

    private static string Replace(string text, (string Spaced, string Tidy)[] pairs)
    {
        foreach ((string spaced, string tidy) in pairs)
            text = text.Replace(spaced, tidy, StringComparison.Ordinal);

        return text;
    }
}
