using System.Text;

namespace Federated.Simulations.Data.Mail;

/// <summary>What a person reads of a mail, and whom its headers name. Still private: nothing is replaced yet.</summary>
/// <param name="Subject">Decoded subject, or the empty string.</param>
/// <param name="Body">Decoded text, lines ended by LF.</param>
/// <param name="HeaderNames">Names in the address fields of the mail and of mails that it encloses.</param>
public sealed record ParsedMail(string Subject, string Body, IReadOnlyList<string> HeaderNames)
{
    /// <summary>Largest mail that is read, in bytes: 32 MiB.</summary>
    public const int MaxBytes = 32 << 20;

    /// <summary>Reads a mail as it was delivered.</summary>
    /// <exception cref="InvalidDataException"><paramref name="raw"/> is longer than <see cref="MaxBytes"/>.</exception>
    /// <remarks>
    /// Of a multipart/alternative the plain text is taken unless it is blank; of any other multipart every text part is.
    /// Attachments and other media are left out. A text/plain body that begins as HTML is read as HTML.
    /// </remarks>
    public static ParsedMail Read(ReadOnlySpan<byte> raw)
    {
        if (raw.Length > MaxBytes)
            throw new InvalidDataException($"The mail has {raw.Length:N0} bytes; at most {MaxBytes:N0} are read. Remove it from the input folder.");

        MimeEntity mail = MimeEntity.Parse(raw);
        List<string> names = [.. AddressNames.InHeaders(mail.Headers)];
        StringBuilder body = new();
        Collect(mail, body, names);
        return new(EncodedWords.Decode(mail.Headers["Subject"] ?? "").Trim(), body.ToString(), names);
    }

    private static void Collect(MimeEntity entity, StringBuilder body, List<string> names)
    {
        if (entity.Children.Count == 0)
        {
            if (IsReadable(entity))
                body.Append(Text(entity)).Append('\n');

            return;
        }

        if (entity.ContentType.MediaType == "multipart/alternative")
        {
            CollectAlternative(entity, body, names);
            return;
        }

        foreach (MimeEntity child in entity.Children)
        {
            if (entity.ContentType.MediaType == "message/rfc822")
                names.AddRange(AddressNames.InHeaders(child.Headers));

            Collect(child, body, names);
        }
    }

    private static void CollectAlternative(MimeEntity entity, StringBuilder body, List<string> names)
    {
        IEnumerable<MimeEntity> plainFirst = entity.Children.OrderByDescending(child => child.ContentType.MediaType == "text/plain");
        foreach (MimeEntity child in plainFirst)
        {
            StringBuilder candidate = new();
            Collect(child, candidate, names);
            if (!string.IsNullOrWhiteSpace(candidate.ToString()))
            {
                body.Append(candidate);
                return;
            }
        }
    }

    private static bool IsReadable(MimeEntity leaf) =>
        !leaf.IsAttachment && leaf.ContentType.MediaType is "text/plain" or "text/html" or "text/enriched" or "text" or "plain/text";

    private static string Text(MimeEntity leaf)
    {
        string text = leaf.DecodeText().ReplaceLineEndings("\n");
        return leaf.ContentType.MediaType is "text/html" or "text/enriched" || LooksLikeHtml(text) ? HtmlText.Extract(text) : text;
    }

    private static bool LooksLikeHtml(string text)
    {
        ReadOnlySpan<char> start = text.AsSpan().TrimStart();
        return start.StartsWith("<html", StringComparison.OrdinalIgnoreCase) || start.StartsWith("<!doctype", StringComparison.OrdinalIgnoreCase)
            || (start.StartsWith("<", StringComparison.Ordinal) && text.Contains("</html>", StringComparison.OrdinalIgnoreCase));
    }
}
