using System.Globalization;

namespace Federated.Client.Tokenizers.Files;

/// <summary>What <c>tokenizer_config.json</c>, <c>special_tokens_map.json</c> and <c>added_tokens.json</c> say beside the vocabulary.</summary>
internal sealed class TokenizerConfig
{
    /// <summary>Roles in the order in which the transformers library goes through them.</summary>
    public static readonly IReadOnlyList<string> RoleNames = ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"];

    private static readonly string[] FlagNames =
    [
        "add_bos_token", "add_eos_token", "add_prefix_space", "do_basic_tokenize", "do_lower_case", "legacy", "split_special_tokens", "strip_accents",
        "tokenize_chinese_chars",
    ];

    private readonly Dictionary<string, string?> _roles = new(StringComparer.Ordinal);
    private readonly Dictionary<string, AddedToken> _described = new(StringComparer.Ordinal);
    private readonly Dictionary<string, bool> _flags = new(StringComparer.Ordinal);

    /// <summary><c>tokenizer_class</c>, or null.</summary>
    public string? ClassName { get; private set; }

    /// <summary>Added tokens that have an id, in order of id.</summary>
    public List<AddedToken> AddedTokens { get; } = [];

    /// <summary><c>additional_special_tokens</c>.</summary>
    public List<string> Additional { get; } = [];

    /// <summary><c>never_split</c>.</summary>
    public HashSet<string> NeverSplit { get; } = new(StringComparer.Ordinal);

    /// <summary>The roles taken.</summary>
    public SpecialTokens Special => new(Role("bos_token"), Role("eos_token"), Role("pad_token"), Role("unk_token"), Role("sep_token"), Role("cls_token"), Role("mask_token"));

    public static TokenizerConfig Read(string folder)
    {
        TokenizerConfig config = new();
        config.ReadFile(Path.Combine(folder, "special_tokens_map.json"), config.ReadRoles);
        config.ReadFile(Path.Combine(folder, "tokenizer_config.json"), root =>
        {
            config.ReadRoles(root);
            config.ReadSettings(root);
        });
        config.ReadFile(Path.Combine(folder, "added_tokens.json"), config.ReadIds);
        config.AddedTokens.Sort((one, other) => one.Id.CompareTo(other.Id));
        return config;
    }

    /// <summary>A flag; null where the files do not say.</summary>
    public bool? Flag(string name) => _flags.TryGetValue(name, out bool flag) ? flag : null;

    /// <summary>The token of a role; <paramref name="missing"/> where the files do not say, which is not the same as null.</summary>
    public string? Role(string role, string? missing = null) => _roles.TryGetValue(role, out string? token) ? token : missing;

    /// <summary>What the files say about a token, but for its id; null if nothing.</summary>
    public AddedToken? Described(string content) => _described.GetValueOrDefault(content);

    /// <summary>Added tokens of a <c>tokenizer.json</c>: its own, those with an id here, and those with a role that are ordinary tokens of the vocabulary.</summary>
    public List<AddedToken> AddedTo(Vocabulary vocabulary, IReadOnlyCollection<AddedToken> present)
    {
        List<AddedToken> all = [.. present];
        HashSet<string> known = [.. present.Select(token => token.Content)];
        all.AddRange(AddedTokens.Where(token => known.Add(token.Content)));
        foreach ((_, string token) in Special.Roles())
        {
            if (vocabulary.Id(token) is { } id && known.Add(token))
                all.Add((Described(token) ?? new AddedToken(0, token, Normalized: true)) with { Id = id });
        }

        return all;
    }

    private void ReadFile(string path, Action<JsonPlace> read)
    {
        if (!File.Exists(path))
            return;

        BoundedFile.ReadJson(BoundedFile.Read(path), path, root =>
        {
            read(root);
            return this;
        });
    }

    private void ReadRoles(JsonPlace root)
    {
        foreach (string role in RoleNames)
        {
            if (root.Has(role))
                _roles[role] = root[role] is { IsNull: false } node ? ReadToken(node) : null;
        }

        if (root["additional_special_tokens"] is { IsNull: false } additional)
            AddAdditional(additional.Items(TokenizerLimits.MaxAddedTokens));

        if (root["extra_special_tokens"] is { IsObject: true } extra)
            AddAdditional(extra.Members(TokenizerLimits.MaxAddedTokens).Select(member => member.Value));
    }

    private void AddAdditional(IEnumerable<JsonPlace> nodes)
    {
        foreach (JsonPlace node in nodes)
        {
            string token = ReadToken(node);
            if (!Additional.Contains(token))
                Additional.Add(token);
        }
    }

    private string ReadToken(JsonPlace node)
    {
        if (!node.IsObject)
            return node.Text();

        string content = node["content"].Text();
        _described[content] = ReadDescription(node, 0, content);
        return content;
    }

    private void ReadSettings(JsonPlace root)
    {
        ClassName = root["tokenizer_class"] is { IsNull: false } name ? name.Text() : null;
        foreach (string flag in FlagNames)
        {
            if (root[flag] is { IsNull: false } node)
                _flags[flag] = node.Boolean(missing: false);
        }

        if (root["never_split"] is { IsNull: false } whole)
            NeverSplit.UnionWith(whole.Items(TokenizerLimits.MaxAddedTokens).Select(token => token.Text()));

        if (root["added_tokens_decoder"] is not { IsNull: false } decoder)
            return;

        foreach ((string key, JsonPlace token) in decoder.Members(TokenizerLimits.MaxAddedTokens))
        {
            if (!int.TryParse(key, NumberStyles.None, CultureInfo.InvariantCulture, out int id) || id >= TokenizerLimits.MaxVocabulary)
                throw decoder.Wrong($"the name '{Vocabulary.Shown(key)}'; wanted an id from 0 to {TokenizerLimits.MaxVocabulary - 1}.");

            AddedTokens.Add(ReadDescription(token, id, token["content"].Text()));
        }
    }

    private void ReadIds(JsonPlace root)
    {
        HashSet<string> known = [.. AddedTokens.Select(token => token.Content)];
        foreach ((string content, JsonPlace id) in root.Members(TokenizerLimits.MaxAddedTokens))
        {
            if (known.Add(content))
                AddedTokens.Add((Described(content) ?? new AddedToken(0, content, Normalized: true)) with { Id = id.Integer(TokenizerLimits.MaxVocabulary) });
        }
    }

    private static AddedToken ReadDescription(JsonPlace node, int id, string content) => new(
        id,
        content,
        node["single_word"].Boolean(missing: false),
        node["lstrip"].Boolean(missing: false),
        node["rstrip"].Boolean(missing: false),
        node["normalized"].Boolean(missing: false),
        node["special"].Boolean(missing: true));
}
