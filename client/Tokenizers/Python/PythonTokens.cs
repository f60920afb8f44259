using Federated.Client.Tokenizers.Files;

namespace Federated.Client.Tokenizers.Python;

/// <summary>The added and special tokens that a tokenizer in Python has: those of its files, and those that its class takes for granted.</summary>
/// <remarks>A special token that the vocabulary lacks gets the next free id, in the order of <see cref="TokenizerConfig.RoleNames"/>, as <c>PreTrainedTokenizer.__init__</c> does.</remarks>
internal sealed class PythonTokens
{
    private readonly Dictionary<string, string?> _roles;

    /// <param name="config">What the files say.</param>
    /// <param name="vocabulary">The model's tokens.</param>
    /// <param name="standard">Token of each role where the files do not name one.</param>
    /// <param name="stripsBeforeMask">Whether the mask token takes the space before it along, if the files do not say.</param>
    public PythonTokens(TokenizerConfig config, Vocabulary vocabulary, IReadOnlyDictionary<string, string> standard, bool stripsBeforeMask = false)
    {
        _roles = TokenizerConfig.RoleNames.ToDictionary(role => role, role => config.Role(role, standard.GetValueOrDefault(role)));
        AllSpecial = [.. _roles.Values.OfType<string>().Concat(config.Additional).Distinct()];
        HashSet<string> special = [.. AllSpecial], known = [.. config.AddedTokens.Select(token => token.Content)];
        Added = [.. config.AddedTokens.Select(token => token with { Special = special.Contains(token.Content) })];
        int next = vocabulary.Count + Added.Count(token => vocabulary.Id(token.Content) is null);
        foreach (string token in AllSpecial.Where(known.Add))
        {
            AddedToken described = config.Described(token) ?? new(0, token, StripLeft: stripsBeforeMask && token == Role("mask_token"));
            Added.Add(described with { Id = vocabulary.Id(token) ?? next++, Special = true });
        }

        Own = Added.Where(token => !special.Contains(token.Content) || (config.Additional.Contains(token.Content) && token.Id >= vocabulary.Size))
            .Select(token => token.Content)
            .ToHashSet(StringComparer.Ordinal);
    }

    /// <summary>All of them.</summary>
    public List<AddedToken> Added { get; }

    /// <summary>Tokens with a role, and <c>additional_special_tokens</c>.</summary>
    public IReadOnlyList<string> AllSpecial { get; }

    /// <summary>Those that decoding keeps apart from the class's own way of putting tokens together.</summary>
    public IReadOnlySet<string> Own { get; }

    /// <summary>The roles.</summary>
    public SpecialTokens Special => new(
        Role("bos_token"), Role("eos_token"), Role("pad_token"), Role("unk_token"), Role("sep_token"), Role("cls_token"), Role("mask_token"));

    /// <summary>The token of a role, or null.</summary>
    public string? Role(string role) => _roles[role];

    /// <summary>Token and id of a role that the class puts around texts.</summary>
    /// <exception cref="TokenizerFormatException">The role is not taken.</exception>
    public NamedToken Named(string role, string source) => Role(role) is { } token
        ? new(token, Added.First(added => added.Content == token).Id)
        : throw new TokenizerFormatException(source, role, "got null, but the tokenizer's class puts this token around texts; name one.");
}
