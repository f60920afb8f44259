using System.Text;
using System.Text.RegularExpressions;

namespace Federated.Simulations.Data.Mail;

/// <summary>Reads header text with encoded words such as <c>=?iso-8859-1?Q?Caf=E9?=</c>.</summary>
/// <remarks>Source: RFC 2047. Blanks between two encoded words vanish (section 6.2); anything malformed stays as it is.</remarks>
public static partial class EncodedWords
{
    /// <summary>Decodes an unfolded raw header value, one char a byte.</summary>
    public static string Decode(string latin1)
    {
        string joined = Adjacent().Replace(latin1, "?==?");
        StringBuilder output = new(joined.Length);
        int position = 0;
        foreach (Match word in Word().Matches(joined))
        {
            AppendPlain(output, joined.AsSpan(position, word.Index - position));
            string payload = word.Groups["text"].Value;
            byte[] bytes = word.Groups["encoding"].Value is "B" or "b"
                ? TransferEncoding.Base64(payload)
                : TransferEncoding.QuotedPrintable(payload.Replace('_', ' '));
            output.Append(Charsets.Decode(word.Groups["charset"].Value, bytes));
            position = word.Index + word.Length;
        }

        AppendPlain(output, joined.AsSpan(position));
        return output.ToString();
    }

    private static void AppendPlain(StringBuilder output, ReadOnlySpan<char> latin1) =>
        output.Append(Charsets.Decode(null, TransferEncoding.Decode(null, latin1)));

    [GeneratedRegex(@"\?=\s+=\?(?=[^\s?]+\?[QqBb]\?)", RegexOptions.CultureInvariant)]
    private static partial Regex Adjacent();

    [GeneratedRegex(@"=\?(?<charset>[^\s?*]+)(?:\*[^\s?]*)?\?(?<encoding>[QqBb])\?(?<text>[^?]*)\?=", RegexOptions.CultureInvariant)]
    private static partial Regex Word();
}
