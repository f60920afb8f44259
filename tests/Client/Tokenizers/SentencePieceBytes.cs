using Google.Protobuf;

namespace Federated.Client.Tests.Tokenizers;

/// <summary>Writes small SentencePiece models.</summary>
internal static class SentencePieceBytes
{
    public const int Normal = 1, Unknown = 2, Control = 3, ByteType = 6;

    /// <param name="modelType">1 for unigram, 2 for BPE.</param>
    /// <param name="byteFallback">The trainer's setting; byte pieces are not added by it.</param>
    /// <param name="charsMap">Table of replacements, or nothing.</param>
    /// <param name="pieces">Text, score and type.</param>
    public static byte[] Model(int modelType, bool byteFallback, byte[]? charsMap, params (string Text, float Score, int Type)[] pieces)
    {
        using MemoryStream stream = new();
        using (CodedOutputStream output = new(stream, leaveOpen: true))
        {
            foreach ((string text, float score, int type) in pieces)
                WriteMessage(output, 1, piece => WritePiece(piece, text, score, type));

            WriteMessage(output, 2, trainer =>
            {
                WriteNumber(trainer, 3, modelType);
                WriteNumber(trainer, 35, byteFallback ? 1 : 0);
            });
            WriteMessage(output, 3, normaliser =>
            {
                if (charsMap is not null)
                    WriteBytes(normaliser, 2, ByteString.CopyFrom(charsMap));

                WriteNumber(normaliser, 4, 0);
            });
        }

        return stream.ToArray();
    }

    private static void WritePiece(CodedOutputStream output, string text, float score, int type)
    {
        WriteBytes(output, 1, ByteString.CopyFromUtf8(text));
        output.WriteTag(2, WireFormat.WireType.Fixed32);
        output.WriteFloat(score);
        WriteNumber(output, 3, type);
    }

    private static void WriteNumber(CodedOutputStream output, int field, int value)
    {
        output.WriteTag(field, WireFormat.WireType.Varint);
        output.WriteInt32(value);
    }

    private static void WriteBytes(CodedOutputStream output, int field, ByteString value)
    {
        output.WriteTag(field, WireFormat.WireType.LengthDelimited);
        output.WriteBytes(value);
    }

    private static void WriteMessage(CodedOutputStream output, int field, Action<CodedOutputStream> members)
    {
        using MemoryStream stream = new();
        using (CodedOutputStream inner = new(stream, leaveOpen: true))
            members(inner);

        WriteBytes(output, field, ByteString.CopyFrom(stream.ToArray()));
    }
}
