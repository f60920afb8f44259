using System.Text.Json;

namespace Federated.Client.Tokenizers;

/// <summary>Tokens and their ids, both ways. Ids start at 0 and may have gaps.</summary>
public sealed class Vocabulary
{
    private readonly string?[] _tokens;
    private readonly Dictionary<string, int> _ids;

    /// <summary>Takes over pairs of token and id.</summary>
    /// <param name="entries">Each token once and each id once; ids below <see cref="TokenizerLimits.MaxVocabulary"/>.</param>
    /// <param name="source">File that they come from, for error messages.</param>
    /// <exception cref="TokenizerFormatException">A token or an id occurs twice, an id is out of range or a token too long.</exception>
    public Vocabulary(IEnumerable<KeyValuePair<string, int>> entries, string source)
    {
        _ids = new(StringComparer.Ordinal);
        int size = 0;
        foreach ((string token, int id) in entries)
        {
            if (id is < 0 or >= TokenizerLimits.MaxVocabulary)
                throw new TokenizerFormatException(source, $"token '{Shown(token)}'", $"its id is {id}, wanted 0 to {TokenizerLimits.MaxVocabulary - 1}.");

            if (token.Length > TokenizerLimits.MaxTokenLength)
                throw new TokenizerFormatException(source, $"id {id}", $"its token has {token.Length} characters, wanted at most {TokenizerLimits.MaxTokenLength}.");

            if (!_ids.TryAdd(token, id))
                throw new TokenizerFormatException(source, $"token '{Shown(token)}'", $"it has two ids, {_ids[token]} and {id}; wanted one.");

            size = Math.Max(size, id + 1);
        }

        _tokens = new string?[size];
        foreach ((string token, int id) in _ids)
        {
            if (_tokens[id] is { } other)
                throw new TokenizerFormatException(source, $"id {id}", $"two tokens have it, '{Shown(other)}' and '{Shown(token)}'; wanted one.");

            _tokens[id] = token;
        }
    }

    /// <summary>Highest id plus one.</summary>
    public int Size => _tokens.Length;

    /// <summary>Number of tokens; less than <see cref="Size"/> if ids have gaps.</summary>
    public int Count => _ids.Count;

    /// <summary>The token of an id, or null.</summary>
    public string? Token(int id) => (uint)id < (uint)_tokens.Length ? _tokens[id] : null;

    /// <summary>The id of a token, or null.</summary>
    public int? Id(string token) => _ids.TryGetValue(token, out int id) ? id : null;

    /// <summary>Finds the id of a token without making a string of it. Throw-away lookups are free of allocation.</summary>
    public Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> IdsBySpan() => _ids.GetAlternateLookup<ReadOnlySpan<char>>();

    /// <summary>Writes an object of the tokens with their ids, in order of id.</summary>
    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        for (int id = 0; id < _tokens.Length; id++)
        {
            if (_tokens[id] is { } token)
                json.WriteNumber(token, id);
        }

        json.WriteEndObject();
    }

    /// <summary>A token as an error message shows it: at most 40 characters.</summary>
    internal static string Shown(string token) => token.Length <= 40 ? token : string.Concat(token.AsSpan(0, 40), "…");
}
