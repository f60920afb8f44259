using Google.Protobuf;

namespace Federated.Client.Tokenizers.SentencePiece;

/// <summary>What a piece is for; numbers as in the file.</summary>
internal enum PieceType
{
    Normal = 1,
    Unknown = 2,
    Control = 3,
    UserDefined = 4,
    Unused = 5,
    Byte = 6,
}

/// <summary>An entry of the vocabulary.</summary>
internal readonly record struct Piece(string Text, float Score, PieceType Type);

/// <summary>How text is normalised before it is spelled.</summary>
internal sealed record NormaliserSpec(
    ReadOnlyMemory<byte> CharsMap = default, bool AddDummyPrefix = true, bool RemoveExtraWhitespaces = true, bool EscapeWhitespaces = true);

/// <summary>What <c>tokenizer.model</c> holds that encoding and decoding need: SentencePiece's <c>ModelProto</c>, a protocol buffer.</summary>
/// <remarks>Source: sentencepiece_model.proto of github.com/google/sentencepiece, for numbers and defaults of the fields.</remarks>
internal sealed class SentencePieceFile
{
    public const string Name = "tokenizer.model";

    /// <summary>Model type: pieces with probabilities.</summary>
    public const int Unigram = 1;

    /// <summary>Model type: pairs are merged in the order of the scores of what they become.</summary>
    public const int Bpe = 2;

    public List<Piece> Pieces { get; } = [];

    public int ModelType { get; private set; } = Unigram;

    public bool ByteFallback { get; private set; }

    public bool WhitespaceAsSuffix { get; private set; }

    /// <summary>What an unknown piece is decoded to.</summary>
    public string UnknownSurface { get; private set; } = " \u2047 ";

    public NormaliserSpec Normaliser { get; private set; } = new();

    public NormaliserSpec? Denormaliser { get; private set; }

    /// <summary>Reads a model.</summary>
    /// <exception cref="TokenizerFormatException">The bytes are no such protocol buffer, or a piece is out of bounds.</exception>
    public static SentencePieceFile Read(ReadOnlyMemory<byte> bytes, string name)
    {
        SentencePieceFile file = new();
        try
        {
            CodedInputStream input = new(bytes.ToArray());
            ForEachField(input, tag =>
            {
                switch (tag)
                {
                    case (1 << 3) | 2:
                        file.AddPiece(ReadPiece(input.ReadBytes()), name);
                        break;
                    case (2 << 3) | 2:
                        file.ReadTrainer(input.ReadBytes());
                        break;
                    case (3 << 3) | 2:
                        file.Normaliser = ReadNormaliser(input.ReadBytes(), file.Normaliser);
                        break;
                    case (5 << 3) | 2:
                        file.Denormaliser = ReadNormaliser(input.ReadBytes(), file.Denormaliser ?? new());
                        break;
                    default:
                        input.SkipLastField();
                        break;
                }
            });
        }
        catch (InvalidProtocolBufferException wrong)
        {
            throw new TokenizerFormatException(name, $"piece {file.Pieces.Count}", $"this is not a SentencePiece model: {wrong.Message}");
        }

        return file;
    }

    /// <summary>No space is put in front of a text, nor taken away again.</summary>
    public void NoDummyPrefix() => Normaliser = Normaliser with { AddDummyPrefix = false };

    private static void ForEachField(CodedInputStream input, Action<uint> read)
    {
        for (uint tag; (tag = input.ReadTag()) != 0;)
            read(tag);
    }

    private static Piece ReadPiece(ByteString message)
    {
        CodedInputStream input = message.CreateCodedInput();
        (string text, float score, int type) = ("", 0, (int)PieceType.Normal);
        ForEachField(input, tag =>
        {
            switch (tag)
            {
                case (1 << 3) | 2:
                    text = input.ReadString();
                    break;
                case (2 << 3) | 5:
                    score = input.ReadFloat();
                    break;
                case (3 << 3) | 0:
                    type = input.ReadEnum();
                    break;
                default:
                    input.SkipLastField();
                    break;
            }
        });
        return new(text, score, (PieceType)type);
    }

    private void AddPiece(Piece piece, string name)
    {
        string place = $"piece {Pieces.Count}";
        if (Pieces.Count == TokenizerLimits.MaxVocabulary)
            throw new TokenizerFormatException(name, place, $"got more than {TokenizerLimits.MaxVocabulary} pieces; wanted fewer.");

        if (piece.Text.Length is 0 or > TokenizerLimits.MaxTokenLength)
            throw new TokenizerFormatException(name, place, $"it has {piece.Text.Length} characters, wanted 1 to {TokenizerLimits.MaxTokenLength}.");

        if (!float.IsFinite(piece.Score))
            throw new TokenizerFormatException(name, place, $"got the score {piece.Score}; wanted a finite number.");

        if (!Enum.IsDefined(piece.Type))
            throw new TokenizerFormatException(name, place, $"got the type {(int)piece.Type}; wanted 1 to 6.");

        Pieces.Add(piece);
    }

    private void ReadTrainer(ByteString message)
    {
        CodedInputStream input = message.CreateCodedInput();
        ForEachField(input, tag =>
        {
            switch (tag)
            {
                case 3 << 3:
                    ModelType = input.ReadEnum();
                    break;
                case 24 << 3:
                    WhitespaceAsSuffix = input.ReadBool();
                    break;
                case 35 << 3:
                    ByteFallback = input.ReadBool();
                    break;
                case (44 << 3) | 2:
                    UnknownSurface = input.ReadString();
                    break;
                default:
                    input.SkipLastField();
                    break;
            }
        });
    }

    private static NormaliserSpec ReadNormaliser(ByteString message, NormaliserSpec spec)
    {
        CodedInputStream input = message.CreateCodedInput();
        ForEachField(input, tag =>
        {
            switch (tag)
            {
                case (2 << 3) | 2:
                    spec = spec with { CharsMap = input.ReadBytes().Memory };
                    break;
                case 3 << 3:
                    spec = spec with { AddDummyPrefix = input.ReadBool() };
                    break;
                case 4 << 3:
                    spec = spec with { RemoveExtraWhitespaces = input.ReadBool() };
                    break;
                case 5 << 3:
                    spec = spec with { EscapeWhitespaces = input.ReadBool() };
                    break;
                default:
                    input.SkipLastField();
                    break;
            }
        });
        return spec;
    }
}
