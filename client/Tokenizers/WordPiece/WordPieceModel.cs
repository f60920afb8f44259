using System.Text.Json;
using Federated.Client.Tokenizers.Characters;

namespace Federated.Client.Tokenizers.WordPiece;

/// <summary>Options of a WordPiece model, named as in <c>tokenizer.json</c>.</summary>
/// <param name="UnknownToken"><c>unk_token</c>: stands for a whole word that cannot be spelled.</param>
/// <param name="Prefix"><c>continuing_subword_prefix</c>: begins a token that goes on with a word.</param>
/// <param name="MaxCharacters"><c>max_input_chars_per_word</c>: a longer word is unknown.</param>
public sealed record WordPieceOptions(string UnknownToken = "[UNK]", string Prefix = "##", int MaxCharacters = 100)
{
    /// <summary>Words that are taken as a whole or are unknown; empty mostly.</summary>
    public IReadOnlySet<string> WholeWords { get; init; } = new HashSet<string>();
}

/// <summary>WordPiece: a word is spelled from the left, with the longest token each time.</summary>
/// <remarks>Source: Devlin et al., "BERT", 2019, arXiv:1810.04805, whose code does it so.</remarks>
public sealed class WordPieceModel : ITokenModel
{
    private readonly PieceTrie _trie = new();

    /// <summary>Makes a model.</summary>
    /// <exception cref="TokenizerFormatException">The vocabulary lacks the unknown token.</exception>
    public WordPieceModel(Vocabulary vocabulary, WordPieceOptions options, string source)
    {
        (Vocabulary, Options) = (vocabulary, options);
        if (vocabulary.Id(options.UnknownToken) is null)
            throw new TokenizerFormatException(source, "unk_token", $"'{Vocabulary.Shown(options.UnknownToken)}' is not in the vocabulary; name a token that is.");

        for (int id = 0; id < vocabulary.Size; id++)
        {
            if (vocabulary.Token(id) is { Length: > 0 } token)
                _trie.Add(token, id);
        }
    }

    /// <inheritdoc/>
    public Vocabulary Vocabulary { get; }

    /// <summary>Options.</summary>
    public WordPieceOptions Options { get; }

    /// <inheritdoc/>
    public IPieceEncoder CreateEncoder(bool mapsBytes)
    {
        IPieceEncoder encoder = new CachingEncoder(new Encoder(this));
        return mapsBytes ? new ByteMappingEncoder(encoder) : encoder;
    }

    /// <inheritdoc/>
    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("type", "WordPiece");
        json.WriteString("unk_token", Options.UnknownToken);
        json.WriteString("continuing_subword_prefix", Options.Prefix);
        json.WriteNumber("max_input_chars_per_word", Options.MaxCharacters);
        json.WritePropertyName("vocab");
        Vocabulary.Write(json);
        json.WriteEndObject();
    }

    private sealed class Encoder(WordPieceModel model) : IPieceEncoder
    {
        private readonly int _unknown = model.Vocabulary.Id(model.Options.UnknownToken)!.Value;
        private readonly int _inside = model._trie.Walk(PieceTrie.Root, model.Options.Prefix);

        public void Encode(ReadOnlySpan<char> piece, List<int> ids)
        {
            int start = ids.Count;
            if (IsWhole(piece, ids) || Spell(piece, ids))
                return;

            ids.RemoveRange(start, ids.Count - start);
            ids.Add(_unknown);
        }

        private bool IsWhole(ReadOnlySpan<char> piece, List<int> ids)
        {
            if (model.Options.WholeWords.Count == 0 || piece.ToString() is not { } word || !model.Options.WholeWords.Contains(word))
                return false;

            ids.Add(model.Vocabulary.Id(word) ?? _unknown);
            return true;
        }

        private bool Spell(ReadOnlySpan<char> piece, List<int> ids)
        {
            if (piece.Length > model.Options.MaxCharacters && CodePoints.Count(piece) > model.Options.MaxCharacters)
                return false;

            for (int node = PieceTrie.Root; !piece.IsEmpty; node = _inside)
            {
                int id = model._trie.Longest(node, piece, out int length);
                if (id == PieceTrie.None)
                    return false;

                ids.Add(id);
                piece = piece[length..];
            }

            return true;
        }
    }
}
