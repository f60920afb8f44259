using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Federated.Client.Tokenizers.Decoders;

/// <summary><c>ByteFallback</c>: rows of tokens such as <c>&lt;0xE2&gt;</c> back to the text that their bytes are; a row that is not UTF-8 gives U+FFFD for each byte.</summary>
public sealed class ByteFallbackDecoder : IDecoder
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <inheritdoc/>
    public void Decode(List<string> tokens)
    {
        List<byte> row = [];
        int count = 0;
        for (int i = 0; i <= tokens.Count; i++)
        {
            if (i < tokens.Count && ByteOf(tokens[i]) is { } value)
            {
                row.Add(value);
                continue;
            }

            // The text of a row has at most as many places as the row, so what is written never overtakes what is read.
            if (row.Count > 0)
                count = WriteRow([.. row], tokens, count);

            row.Clear();
            if (i < tokens.Count)
                tokens[count++] = tokens[i];
        }

        tokens.RemoveRange(count, tokens.Count - count);
    }

    /// <inheritdoc/>
    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("type", "ByteFallback");
        json.WriteEndObject();
    }

    /// <summary>The byte that a token such as <c>&lt;0xE2&gt;</c> stands for; null for any other token.</summary>
    internal static byte? ByteOf(string token) => token is ['<', '0', 'x', _, _, '>'] &&
        byte.TryParse(token.AsSpan(3, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out byte value) ? value : null;

    /// <summary>The token of a byte.</summary>
    internal static string TokenOf(byte value) => $"<0x{value:X2}>";

    private static int WriteRow(byte[] row, List<string> tokens, int count)
    {
        try
        {
            tokens[count] = Strict.GetString(row);
            return count + 1;
        }
        catch (DecoderFallbackException)
        {
            foreach (byte _ in row)
                tokens[count++] = "\uFFFD";

            return count;
        }
    }
}
