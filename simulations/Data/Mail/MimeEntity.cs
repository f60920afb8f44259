using System.Text;

namespace Federated.Simulations.Data.Mail;

/// <summary>A mail or one of its parts: headers, and either children or a decoded body.</summary>
/// <remarks>
/// Source: RFC 2045 and RFC 2046 section 5.1. Lenient as old mail needs: a multipart without a boundary, or whose boundary never
/// occurs, is read as one text; a missing end delimiter ends with the mail. Nesting beyond <see cref="MaxDepth"/> is not opened.
/// </remarks>
public sealed class MimeEntity
{
    /// <summary>Deepest nesting of multiparts and enclosed mails that is opened.</summary>
    public const int MaxDepth = 12;

    private readonly string _latin1Body;

    private MimeEntity(MailHeaders headers, ContentType contentType, string latin1Body, IReadOnlyList<MimeEntity> children)
    {
        (Headers, ContentType, _latin1Body, Children) = (headers, contentType, latin1Body, children);
    }

    /// <summary>Fields of this part.</summary>
    public MailHeaders Headers { get; }

    /// <summary>Declared type; <c>text/plain</c> when none is declared.</summary>
    public ContentType ContentType { get; }

    /// <summary>Parts of a multipart, or the one mail that a message/rfc822 encloses; empty for a leaf.</summary>
    public IReadOnlyList<MimeEntity> Children { get; }

    /// <summary>Whether the sender marked this part as a file to save rather than text to read.</summary>
    public bool IsAttachment =>
        ContentType.Parse(Headers["Content-Disposition"]).MediaType == "attachment";

    /// <summary>Reads a whole mail.</summary>
    /// <param name="raw">The mail as it was delivered, with or without an mbox separator line.</param>
    public static MimeEntity Parse(ReadOnlySpan<byte> raw) => Parse(Encoding.Latin1.GetString(raw), depth: 0);

    /// <summary>The body with its transfer encoding undone and its charset decoded.</summary>
    public string DecodeText() =>
        Charsets.Decode(ContentType["charset"], TransferEncoding.Decode(Headers["Content-Transfer-Encoding"], _latin1Body));

    private static MimeEntity Parse(string latin1, int depth)
    {
        MailHeaders headers = MailHeaders.Parse(latin1, out int bodyStart);
        ContentType type = ContentType.Parse(headers["Content-Type"]);
        string body = latin1[bodyStart..];
        if (depth < MaxDepth && type.MediaType.StartsWith("multipart/", StringComparison.Ordinal) && type["boundary"] is { Length: > 0 } boundary)
        {
            List<MimeEntity> children = [.. Split(body, boundary).Select(part => Parse(part, depth + 1))];
            if (children.Count > 0)
                return new(headers, type, "", children);
        }

        return depth < MaxDepth && type.MediaType == "message/rfc822"
            ? new(headers, type, "", [Parse(body, depth + 1)])
            : new(headers, type, body, []);
    }

    // Texts between the lines "--boundary"; preamble and epilogue are no parts.
    private static IEnumerable<string> Split(string body, string boundary)
    {
        string delimiter = "--" + boundary;
        int partStart = -1;
        int position = 0;
        while (position < body.Length)
        {
            int newline = body.IndexOf('\n', position);
            int next = newline < 0 ? body.Length : newline + 1;
            ReadOnlySpan<char> line = body.AsSpan(position, next - position).TrimEnd();
            bool last = line.Length == delimiter.Length + 2 && line.EndsWith("--", StringComparison.Ordinal);
            if (line.StartsWith(delimiter, StringComparison.Ordinal) && (last || line.Length == delimiter.Length))
            {
                if (partStart >= 0)
                    yield return body[partStart..position].TrimEnd('\n').TrimEnd('\r');

                partStart = last ? -1 : next;
                if (last)
                    yield break;
            }

            position = next;
        }

        if (partStart >= 0)
            yield return body[partStart..];
    }
}
