using System.Text;

namespace Federated.Simulations.Data.Mail;

/// <summary>Turns bytes of a named charset into text, whatever the name says.</summary>
public static class Charsets
{
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);
    private static readonly Encoding Windows1252 = Named(1252);

    /// <summary>Decodes <paramref name="bytes"/>.</summary>
    /// <param name="charset">
    /// Name as mail gives it. Null, unknown names and the ASCII family mean: UTF-8 when the bytes are valid UTF-8, windows-1252
    /// otherwise, because senders who declare nothing or ASCII send either. ISO-8859-1 is read as windows-1252, as browsers do.
    /// </param>
    /// <param name="bytes">Any bytes; what the charset does not know becomes U+FFFD.</param>
    public static string Decode(string? charset, ReadOnlySpan<byte> bytes)
    {
        Encoding? encoding = Find(charset);
        if (encoding is not null)
            return encoding.GetString(bytes);

        try
        {
            return StrictUtf8.GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            return Windows1252.GetString(bytes);
        }
    }

    private static Encoding? Find(string? charset)
    {
        string name = charset?.Trim().Trim('"', '\'').ToLowerInvariant() ?? "";
        switch (name)
        {
            case "" or "us-ascii" or "ascii" or "utf-7" or "unicode" or "default" or "x-user-defined":
                return null;
            case "iso-8859-1" or "iso8859-1" or "latin1" or "cp1252":
                return Windows1252;
            case "chinesebig5":
                return Named(950);
            case "gb2312_charset":
                return Named(936);
        }

        try
        {
            return CodePagesEncodingProvider.Instance.GetEncoding(name) ?? Encoding.GetEncoding(name);
        }
        catch (ArgumentException)
        {
            return null;
        }
    }

    private static Encoding Named(int codePage) =>
        CodePagesEncodingProvider.Instance.GetEncoding(codePage)
        ?? throw new NotSupportedException($"This runtime has no code page {codePage}; System.Text.Encoding.CodePages provides it.");
}
