using System.Text.Json;

namespace Federated.Client.Tokenizers.Unigram;

/// <summary>A token of a <see cref="UnigramModel"/> and the logarithm of its probability.</summary>
public readonly record struct ScoredToken(string Token, double Score);

/// <summary>Unigram language model: of all ways to spell a piece the most probable one.</summary>
/// <remarks>Source: Kudo, "Subword Regularization", ACL 2018, arXiv:1804.10959, section 3.2; as the tokenizers library computes it, in float64.</remarks>
public sealed class UnigramModel : ITokenModel
{
    /// <summary>An unknown character scores this much below the least probable token.</summary>
    internal const double UnknownPenalty = 10;

    private readonly PieceTrie _trie = new();

    /// <summary>Makes a model.</summary>
    /// <param name="tokens">Tokens by id; different ones, with finite scores.</param>
    /// <param name="unknown"><c>unk_id</c>: stands for characters that the vocabulary lacks; null leaves them out.</param>
    /// <param name="byteFallback"><c>byte_fallback</c>: what is unknown is spelled with tokens such as <c>&lt;0xE2&gt;</c>, if all that it needs are there.</param>
    /// <param name="source">File that the model comes from, for error messages.</param>
    /// <exception cref="TokenizerFormatException">A token occurs twice, a score is not finite or the unknown id is out of range.</exception>
    public UnigramModel(IReadOnlyList<ScoredToken> tokens, int? unknown, bool byteFallback, string source)
    {
        (Tokens, Unknown, ByteFallback) = (tokens, unknown, byteFallback);
        Vocabulary = new(tokens.Select((token, id) => KeyValuePair.Create(token.Token, id)), source);
        if (unknown >= tokens.Count)
            throw new TokenizerFormatException(source, "unk_id", $"got {unknown}; wanted an id below {tokens.Count}, the size of the vocabulary.");

        for (int id = 0; id < tokens.Count; id++)
        {
            if (!double.IsFinite(tokens[id].Score))
                throw new TokenizerFormatException(source, $"vocab[{id}]", $"got the score {tokens[id].Score}; wanted a finite number.");

            LeastScore = Math.Min(LeastScore, tokens[id].Score);
            if (tokens[id].Token.Length > 0)
                _trie.Add(tokens[id].Token, id);
        }
    }

    /// <inheritdoc/>
    public Vocabulary Vocabulary { get; }

    /// <summary>Tokens by id.</summary>
    public IReadOnlyList<ScoredToken> Tokens { get; }

    /// <summary>Stands for characters that the vocabulary lacks.</summary>
    public int? Unknown { get; }

    /// <summary>Whether what is unknown is spelled in bytes.</summary>
    public bool ByteFallback { get; }

    internal double LeastScore { get; } = double.PositiveInfinity;

    internal PieceTrie Trie => _trie;

    /// <inheritdoc/>
    public IPieceEncoder CreateEncoder(bool mapsBytes)
    {
        IPieceEncoder encoder = new CachingEncoder(new UnigramEncoder(this));
        return mapsBytes ? new ByteMappingEncoder(encoder) : encoder;
    }

    /// <inheritdoc/>
    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("type", "Unigram");
        if (Unknown is { } unknown)
            json.WriteNumber("unk_id", unknown);
        else
            json.WriteNull("unk_id");

        json.WriteStartArray("vocab");
        foreach ((string token, double score) in Tokens)
        {
            json.WriteStartArray();
            json.WriteStringValue(token);
            json.WriteNumberValue(score);
            json.WriteEndArray();
        }

        json.WriteEndArray();
        json.WriteBoolean("byte_fallback", ByteFallback);
        json.WriteEndObject();
    }
}
