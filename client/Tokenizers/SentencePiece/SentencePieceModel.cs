using System.Text;
using System.Text.Json;
using Federated.Client.Tokenizers.PreTokenisers;

namespace Federated.Client.Tokenizers.SentencePiece;

/// <summary>A SentencePiece model, which normalises and spells the stretches of text that it is given.</summary>
/// <remarks>Source: Kudo and Richardson, "SentencePiece", EMNLP 2018, arXiv:1808.06226, and the library of that name for what the paper leaves open.</remarks>
internal sealed class SentencePieceModel : ITokenModel
{
    private readonly SentencePieceFile _file;
    private readonly SentencePieceNormaliser _normaliser;
    private readonly bool _cutsAtSpaces;
    private readonly string? _shield;
    private readonly string _name;

    /// <param name="file">The model.</param>
    /// <param name="name">File name for error messages.</param>
    /// <param name="shield">
    /// If given, text that begins with a space or its mark is spelled behind this text, whose pieces are then dropped: so the space is not
    /// trimmed away. It is what LlamaTokenizer does without <c>legacy</c>.
    /// </param>
    public SentencePieceModel(SentencePieceFile file, string name, string? shield)
    {
        (_file, _name, _shield) = (file, name, shield);
        if (file.ModelType is not (SentencePieceFile.Bpe or SentencePieceFile.Unigram))
            throw new TokenizerFormatException(name, "trainer_spec.model_type", $"got {file.ModelType}; wanted 1 (unigram) or 2 (BPE).");

        Pieces = new(file, name);
        _normaliser = new(file.Normaliser, file.WhitespaceAsSuffix, Pieces.UserDefined, name);
        Decoder = new(Pieces, file, file.Denormaliser is { CharsMap.Length: > 0 } spec ? new(spec, suffix: false, null, name) : null);
        _cutsAtSpaces = file.ModelType == SentencePieceFile.Bpe && Pieces.Spelled([MetaspacePreTokeniser.SpaceMark]) != PieceTrie.None &&
            CuttingEncoder.IsSafe(Pieces.AllSpelled().Select(piece => piece.Text), MetaspacePreTokeniser.SpaceMark);
    }

    /// <inheritdoc/>
    public Vocabulary Vocabulary => Pieces.Vocabulary;

    /// <summary>Turns pieces back into text.</summary>
    public SentencePieceText Decoder { get; }

    public PieceTable Pieces { get; }

    /// <inheritdoc/>
    public IPieceEncoder CreateEncoder(bool mapsBytes)
    {
        ISpeller speller = _file.ModelType == SentencePieceFile.Bpe ? new BpeSpeller(Pieces) : new UnigramSpeller(Pieces);
        IPieceEncoder encoder = new CachingEncoder(new SpellingEncoder(Pieces, speller));
        return new Encoder(_normaliser, _cutsAtSpaces ? new CuttingEncoder(encoder, MetaspacePreTokeniser.SpaceMark) : encoder, _shield, _name);
    }

    /// <inheritdoc/>
    public void Write(Utf8JsonWriter json) => throw new NotSupportedException("A SentencePiece model is not written as JSON; copy its file.");

    /// <summary>From text as it is to ids.</summary>
    private sealed class Encoder : IPieceEncoder
    {
        private readonly SentencePieceNormaliser _normaliser;
        private readonly IPieceEncoder _inner;
        private readonly string? _shield;
        private readonly int _shieldLength;
        private readonly TextBuffer _buffer;
        private readonly TextBuffer _shielded = new();

        public Encoder(SentencePieceNormaliser normaliser, IPieceEncoder inner, string? shield, string name)
        {
            (_normaliser, _inner, _shield, _buffer) = (normaliser, inner, shield, new TextBuffer(name));
            List<int> ids = [];
            _inner.Encode(normaliser.Normalise(shield, _buffer), ids);
            _shieldLength = ids.Count;
        }

        public void Encode(ReadOnlySpan<char> piece, List<int> ids)
        {
            if (_shield is null || piece is not [' ' or MetaspacePreTokeniser.SpaceMark, ..])
            {
                _inner.Encode(_normaliser.Normalise(piece, _buffer), ids);
                return;
            }

            _shielded.Clear();
            _shielded.Append(_shield);
            _shielded.Append(piece);
            int start = ids.Count;
            _inner.Encode(_normaliser.Normalise(_shielded.Text, _buffer), ids);
            if (ids.Count - start >= _shieldLength)
                ids.RemoveRange(start, _shieldLength);
        }
    }

    /// <summary>From normalised text to ids: what is unknown becomes bytes, or one id for each row of it.</summary>
    private sealed class SpellingEncoder(PieceTable pieces, ISpeller speller) : IPieceEncoder
    {
        private readonly List<SpelledPart> _parts = [];

        public void Encode(ReadOnlySpan<char> piece, List<int> ids)
        {
            _parts.Clear();
            speller.Spell(piece, _parts);
            for (int i = 0; i < _parts.Count; i++)
            {
                SpelledPart part = _parts[i];
                if (part.Id != pieces.Unknown)
                {
                    ids.Add(part.Id);
                }
                else if (pieces.HasBytes)
                {
                    AddBytes(piece.Slice(part.Start, part.Length), ids);
                }
                else
                {
                    int length = part.Length;
                    while (i + 1 < _parts.Count && _parts[i + 1].Id == pieces.Unknown)
                        length += _parts[++i].Length;

                    ids.Add(pieces.Id(piece.Slice(part.Start, length)));
                }
            }
        }

        private void AddBytes(ReadOnlySpan<char> text, List<int> ids)
        {
            Span<byte> utf8 = stackalloc byte[4];
            foreach (Rune rune in text.EnumerateRunes())
            {
                foreach (byte value in utf8[..rune.EncodeToUtf8(utf8)])
                    ids.Add(pieces.Byte(value));
            }
        }
    }
}
