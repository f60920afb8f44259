namespace Federated.Simulations.Data.Mail;

/// <summary>The header block of a mail or of one of its parts, in the order of the source.</summary>
/// <remarks>
/// Source: RFC 5322 section 2.2 (fields, folding), read leniently: an mbox separator ("From ..."), a line without a colon and a
/// missing body are all accepted, since old mail has every one of them. Text is Latin-1, one char a byte: bytes survive unchanged
/// until a charset is known.
/// </remarks>
public sealed class MailHeaders
{
    private readonly List<KeyValuePair<string, string>> _fields = [];

    private MailHeaders()
    {
    }

    /// <summary>Name and unfolded raw value of every field.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Fields => _fields;

    /// <summary>The first field named <paramref name="name"/> (any case), or null.</summary>
    public string? this[string name] => All(name).FirstOrDefault();

    /// <summary>Raw values of every field named <paramref name="name"/> (any case).</summary>
    public IEnumerable<string> All(string name) =>
        _fields.Where(field => field.Key.Equals(name, StringComparison.OrdinalIgnoreCase)).Select(field => field.Value);

    /// <summary>Reads fields up to the first empty line.</summary>
    /// <param name="latin1">A whole mail or part, one char a byte, lines ended by LF or CRLF.</param>
    /// <param name="bodyStart">Index of the first char of the body; the length of the text when there is none.</param>
    public static MailHeaders Parse(ReadOnlySpan<char> latin1, out int bodyStart)
    {
        MailHeaders headers = new();
        int position = 0;
        while (position < latin1.Length)
        {
            int end = latin1[position..].IndexOf('\n');
            int next = end < 0 ? latin1.Length : position + end + 1;
            ReadOnlySpan<char> line = latin1[position..(end < 0 ? latin1.Length : position + end)].TrimEnd('\r');
            position = next;
            if (line.IsEmpty)
                break;

            headers.Add(line);
        }

        bodyStart = position;
        return headers;
    }

    private void Add(ReadOnlySpan<char> line)
    {
        if (line[0] is ' ' or '\t')
        {
            if (_fields.Count > 0)
                _fields[^1] = new(_fields[^1].Key, $"{_fields[^1].Value} {line.Trim()}");

            return;
        }

        int colon = line.IndexOf(':');
        if (colon > 0 && !line[..colon].TrimEnd().ContainsAny(' ', '\t'))
            _fields.Add(new(line[..colon].TrimEnd().ToString(), line[(colon + 1)..].Trim().ToString()));
    }
}
