using System.Text;
using Federated.Client.Tokenizers.Decoders;
using Federated.Client.Tokenizers.PreTokenisers;

namespace Federated.Client.Tokenizers.SentencePiece;

/// <summary>Turns pieces back into text as SentencePiece does: the first space, which was put in front, is left out, control pieces are invisible.</summary>
internal sealed class SentencePieceText(PieceTable pieces, SentencePieceFile file, SentencePieceNormaliser? denormaliser)
{
    private readonly bool _trimsStart = file.Normaliser.AddDummyPrefix || file.Normaliser.RemoveExtraWhitespaces;

    public string Decode(IReadOnlyList<string> tokens)
    {
        StringBuilder text = new();
        List<byte> bytes = [];
        bool atStart = true, spaceSeen = false;
        foreach (string token in tokens)
        {
            int id = pieces.Id(token);
            if (pieces[id].Type == PieceType.Byte)
            {
                bytes.Add(ByteFallbackDecoder.ByteOf(token)!.Value);
                continue;
            }

            AppendBytes(bytes, text);
            atStart &= !spaceSeen && text.Length == 0;
            text.Append(Surface(token, id, atStart, out spaceSeen));
        }

        AppendBytes(bytes, text);
        string decoded = text.ToString();
        return denormaliser is null ? decoded : denormaliser.Normalise(decoded, new TextBuffer()).ToString();
    }

    /// <param name="token">The piece.</param>
    /// <param name="id">Its id, or the unknown one's.</param>
    /// <param name="atStart">Whether a space that was put in front may still come.</param>
    /// <param name="spaceSeen">Whether it came, and no other one may be left out.</param>
    private string Surface(string token, int id, bool atStart, out bool spaceSeen)
    {
        spaceSeen = false;
        if (pieces[id].Type == PieceType.Control)
            return "";

        if (id == pieces.Unknown)
            return pieces[id].Text == token ? file.UnknownSurface : token;

        bool trims = atStart && _trimsStart && token[0] == MetaspacePreTokeniser.SpaceMark;
        spaceSeen = trims && !file.Normaliser.RemoveExtraWhitespaces;
        return token[(trims ? 1 : 0)..].Replace(MetaspacePreTokeniser.SpaceMark, ' ');
    }

    /// <summary>Bytes that are no UTF-8 give U+FFFD each, and not one for a row of them.</summary>
    private static void AppendBytes(List<byte> bytes, StringBuilder text)
    {
        ReadOnlySpan<byte> rest = bytes.ToArray();
        while (!rest.IsEmpty)
        {
            bool valid = Rune.DecodeFromUtf8(rest, out Rune rune, out int consumed) == System.Buffers.OperationStatus.Done;
            text.Append(rune.ToString());
            rest = rest[(valid ? consumed : 1)..];
        }

        bytes.Clear();
    }
}
