namespace Federated.Simulations.Data.Mail;

/// <summary>A media type with its parameters, such as <c>text/html; charset="iso-8859-1"</c>.</summary>
/// <remarks>Source: RFC 2045 section 5, read leniently. An absent or unreadable value is <c>text/plain</c>, as section 5.2 says.</remarks>
public sealed class ContentType
{
    private readonly Dictionary<string, string> _parameters = new(StringComparer.OrdinalIgnoreCase);

    private ContentType(string mediaType) => MediaType = mediaType;

    /// <summary>Lower-case <c>type/subtype</c>.</summary>
    public string MediaType { get; }

    /// <summary>The parameter <paramref name="name"/> (any case) without quotes, or null.</summary>
    public string? this[string name] => _parameters.GetValueOrDefault(name);

    /// <summary>Reads the value of a Content-Type or Content-Disposition field.</summary>
    /// <param name="value">Unfolded value, or null when the field is absent.</param>
    public static ContentType Parse(string? value)
    {
        ReadOnlySpan<char> rest = value ?? "";
        string mediaType = Take(ref rest, ';').Trim().ToString().ToLowerInvariant();
        ContentType type = new(mediaType.Length == 0 ? "text/plain" : mediaType);
        while (!rest.IsEmpty)
        {
            ReadOnlySpan<char> parameter = Take(ref rest, ';');
            int equals = parameter.IndexOf('=');
            if (equals > 0)
                type._parameters.TryAdd(parameter[..equals].Trim().ToString(), parameter[(equals + 1)..].Trim().Trim('"').ToString());
        }

        return type;
    }

    private static ReadOnlySpan<char> Take(ref ReadOnlySpan<char> rest, char separator)
    {
        bool quoted = false;
        for (int i = 0; i < rest.Length; i++)
        {
            if (rest[i] == '"')
                quoted = !quoted;

            if (rest[i] == separator && !quoted)
            {
                ReadOnlySpan<char> taken = rest[..i];
                rest = rest[(i + 1)..];
                return taken;
            }
        }

        ReadOnlySpan<char> all = rest;
        rest = default;
        return all;
    }
}
