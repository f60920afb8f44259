using System.Globalization;

namespace Federated.Client.Tokenizers.Files;

/// <summary>What <c>tokenizer_config.json</c>, <c>special_tokens_map.json</c> and <c>added_tokens.json</c> say beside the vocabulary.</summary>
internal sealed class TokenizerConfig
{
    private readonly Dictionary<string, string> _roles = new(StringComparer.Ordinal);
    private readonly Dictionary<string, AddedToken> _described = new(StringComparer.Ordinal);

    /// <summary><c>tokenizer_class</c>, or null.</summary>
    public string? ClassName { get; private set; }

    /// <summary><c>add_prefix_space</c>.</summary>
    public bool AddPrefixSpace { get; private set; }

    /// <summary><c>add_bos_token</c>.</summary>
    public bool AddBosToken { get; private set; }

    /// <summary>Added tokens that have an id, in order of id.</summary>
    public List<AddedToken> AddedTokens { get; } = [];

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

    /// <summary>Added tokens of this vocabulary: those with an id here, and those with a role that are ordinary tokens of the vocabulary.</summary>
    public List<AddedToken> AddedTo(Vocabulary vocabulary, IReadOnlyCollection<AddedToken> present)
    {
        List<AddedToken> all = [.. present];
        HashSet<string> known = [.. present.Select(token => token.Content)];
        all.AddRange(AddedTokens.Where(token => known.Add(token.Content)));
        foreach ((_, string token) in Special.Roles())
        {
            if (vocabulary.Id(token) is { } id && known.Add(token))
                all.Add(Described(token) with { Id = id });
        }

        return all;
    }

    private string? Role(string role) => _roles.GetValueOrDefault(role);

    private AddedToken Described(string content) => _described.GetValueOrDefault(content) ?? new AddedToken(0, content, Normalized: true);

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
        foreach (string role in (string[])["bos_token", "eos_token", "pad_token", "unk_token", "sep_token", "cls_token", "mask_token"])
        {
            JsonPlace node = root[role];
            if (node.IsNull)
                continue;

            string content = node.IsObject ? node["content"].Text() : node.Text();
            _roles[role] = content;
            if (node.IsObject)
                _described[content] = ReadDescription(node, 0, content);
        }
    }

    private void ReadSettings(JsonPlace root)
    {
        ClassName = root["tokenizer_class"] is { IsNull: false } name ? name.Text() : null;
        AddPrefixSpace = root["add_prefix_space"].Boolean(missing: false);
        AddBosToken = root["add_bos_token"].Boolean(missing: false);
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
                AddedTokens.Add(Described(content) with { Id = id.Integer(TokenizerLimits.MaxVocabulary) });
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
