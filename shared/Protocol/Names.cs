using System.Text.RegularExpressions;

namespace Federated.Shared.Protocol;

/// <summary>What a run or a site may be called.</summary>
/// <remarks>
/// Lower-case letters, digits, '-' and '_', 1 to 64 of them, starting and ending with a letter or digit; device names of
/// other systems are refused. Names never become paths, yet a name that is safe as one is safe everywhere.
/// </remarks>
public static partial class Names
{
    /// <summary>The rule in words, for error messages.</summary>
    public const string Rule = "1 to 64 of a-z, 0-9, '-' and '_', starting and ending with a letter or digit";

    /// <summary>True when <paramref name="name"/> keeps the rule.</summary>
    public static bool IsValid(string? name) => name is not null && Allowed().IsMatch(name) && !Reserved().IsMatch(name);

    // \z, not $: in .NET '$' also matches before a final newline.
    [GeneratedRegex(@"^[a-z0-9](?:[a-z0-9_-]{0,62}[a-z0-9])?\z", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Allowed();

    [GeneratedRegex(@"^(?:con|prn|aux|nul|com[1-9]|lpt[1-9])\z", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Reserved();
}
