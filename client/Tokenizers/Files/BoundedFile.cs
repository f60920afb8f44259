using System.Text;
using System.Text.Json;

namespace Federated.Client.Tokenizers.Files;

/// <summary>Reads whole files whose size is checked first.</summary>
internal static class BoundedFile
{
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>The bytes of a file without a byte-order mark.</summary>
    /// <exception cref="TokenizerFormatException">The file is larger than <see cref="TokenizerLimits.MaxFileBytes"/>.</exception>
    public static ReadOnlyMemory<byte> Read(string path) => WithoutMark(ReadBinary(path));

    /// <summary>The bytes of a file that is no text.</summary>
    /// <exception cref="TokenizerFormatException">The file is larger than <see cref="TokenizerLimits.MaxFileBytes"/>.</exception>
    public static ReadOnlyMemory<byte> ReadBinary(string path)
    {
        using FileStream stream = new(path, FileMode.Open, FileAccess.Read, FileShare.Read);
        return Read(stream, path);
    }

    /// <summary>The bytes of a stream.</summary>
    public static ReadOnlyMemory<byte> Read(Stream stream, string name)
    {
        MemoryStream all = new(stream.CanSeek ? (int)Math.Min(stream.Length - stream.Position, TokenizerLimits.MaxFileBytes) : 0);
        byte[] buffer = new byte[1 << 16];
        for (int read; (read = stream.Read(buffer)) > 0;)
        {
            if (all.Length + read > TokenizerLimits.MaxFileBytes)
                throw new TokenizerFormatException(name, "file", $"it has more than {TokenizerLimits.MaxFileBytes} bytes, the largest size taken for a tokenizer file.");

            all.Write(buffer, 0, read);
        }

        return all.GetBuffer().AsMemory(0, (int)all.Length);
    }

    /// <summary>Parses JSON in which no object has a name twice, and hands its root to <paramref name="use"/>.</summary>
    public static T ReadJson<T>(ReadOnlyMemory<byte> bytes, string name, Func<JsonPlace, T> use)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(bytes, new() { MaxDepth = 32, AllowDuplicateProperties = false });
            return use(new JsonPlace(document.RootElement, name, "$"));
        }
        catch (JsonException wrong)
        {
            throw new TokenizerFormatException(name, wrong.LineNumber is { } line ? $"line {line + 1}" : "file", $"this is not the JSON wanted: {wrong.Message}");
        }
        catch (InvalidOperationException)
        {
            // The parser's answer to a name that is no UTF-8 or holds half a surrogate pair.
            throw new TokenizerFormatException(name, "file", "a name is not valid UTF-8 or holds half of a surrogate pair; wanted well-formed text.");
        }
    }

    /// <summary>The text of UTF-8 bytes.</summary>
    public static string Text(ReadOnlyMemory<byte> bytes, string name)
    {
        try
        {
            return StrictUtf8.GetString(bytes.Span);
        }
        catch (DecoderFallbackException wrong)
        {
            throw new TokenizerFormatException(name, $"byte {wrong.Index}", "the bytes are not UTF-8; save the file as UTF-8.");
        }
    }

    private static ReadOnlyMemory<byte> WithoutMark(ReadOnlyMemory<byte> bytes) =>
        bytes.Span.StartsWith(Encoding.UTF8.Preamble) ? bytes[Encoding.UTF8.Preamble.Length..] : bytes;
}
