using System.Buffers;
using System.Text.RegularExpressions;

namespace Federated.Shared.Peft;

/// <summary>A regular expression that came with an adapter. It may be hostile: matched in linear time where its syntax allows, else with a time limit.</summary>
internal sealed class ModulePattern
{
    private const int MaxLength = 4096;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private static readonly SearchValues<char> Plain = SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.");

    private readonly string _given;
    private readonly Regex? _regex;

    private ModulePattern(string given, string? pattern)
    {
        _given = given;
        if (given.Length > MaxLength)
            throw new PeftFormatException($"A module pattern of {given.Length} characters; at most {MaxLength} are allowed.");
        if (pattern is null)
            return;

        try
        {
            // Compiled apart first: a pattern must not close our group and go on.
            _ = new Regex(given, RegexOptions.CultureInvariant, Patience);
            _regex = Compile(pattern);
        }
        catch (ArgumentException error)
        {
            throw new PeftFormatException($"The module pattern '{given}' is no regular expression: {error.Message}", error);
        }
    }

    /// <summary>A pattern that must match a whole name, as Python's <c>re.fullmatch</c> does.</summary>
    /// <exception cref="PeftFormatException">Too long, or no regular expression.</exception>
    public static ModulePattern Whole(string pattern) => new(pattern, $@"\A(?:{pattern})\z");

    /// <summary>A pattern that must match the end of a name, from its start or after a dot.</summary>
    /// <exception cref="PeftFormatException">Too long, or no regular expression.</exception>
    public static ModulePattern Suffix(string pattern) => new(pattern, IsPlain(pattern) ? null : $@"\A(?:.*\.)?(?:{pattern})\z");

    /// <summary>Whether a pattern has no operator but the point, as nearly all have: it is then compared, which costs a thousandth of a regular expression.</summary>
    public static bool IsPlain(string pattern) => pattern.Length > 0 && !pattern.AsSpan().ContainsAnyExcept(Plain);

    /// <summary>Finds a layer's number: the component after <paramref name="layers"/>, or after any component if null.</summary>
    /// <exception cref="PeftFormatException">Too long, or no regular expression.</exception>
    public static ModulePattern LayerIndex(string? layers) => new(layers ?? "", $@"\A.*\.{(layers is null ? "[^.]*" : $"(?:{layers})")}\.(?<index>[0-9]+)\.");

    /// <exception cref="PeftFormatException">Takes too long on this name.</exception>
    public bool Matches(string module) => _regex is null ? EndsAsGiven(module) : Match(module).Success;

    /// <summary>The text of the layer's number, or null.</summary>
    /// <exception cref="PeftFormatException">Takes too long on this name.</exception>
    public string? FindIndex(string module) => Match(module) is { Success: true } match ? match.Groups["index"].Value : null;

    private bool EndsAsGiven(string module)
    {
        int start = module.Length - _given.Length;
        if (start < 0 || (start > 0 && module[start - 1] != '.'))
            return false;

        for (int i = 0; i < _given.Length; i++)
        {
            if (_given[i] != module[start + i] && _given[i] != '.')
                return false;
        }

        return true;
    }

    private Match Match(string module)
    {
        try
        {
            return _regex!.Match(module);
        }
        catch (RegexMatchTimeoutException error)
        {
            throw new PeftFormatException($"The module pattern '{_given}' takes too long on '{module}'; write it without nested repetition.", error);
        }
    }

    private static Regex Compile(string pattern)
    {
        try
        {
            return new(pattern, RegexOptions.CultureInvariant | RegexOptions.NonBacktracking);
        }
        catch (NotSupportedException)
        {
            return new(pattern, RegexOptions.CultureInvariant, Patience);
        }
    }
}
