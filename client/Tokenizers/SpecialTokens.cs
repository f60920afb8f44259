namespace Federated.Client.Tokenizers;

/// <summary>Which token takes which role, as <c>tokenizer_config.json</c> and <c>special_tokens_map.json</c> name them.</summary>
/// <param name="Bos">Begins a text.</param>
/// <param name="Eos">Ends a text.</param>
/// <param name="Pad">Fills a row of a batch.</param>
/// <param name="Unk">Stands for what the vocabulary lacks.</param>
/// <param name="Sep">Separates two texts.</param>
/// <param name="Cls">Position whose output a classifier reads.</param>
/// <param name="Mask">Position to be guessed in masked language modelling.</param>
public sealed record SpecialTokens(
    string? Bos = null,
    string? Eos = null,
    string? Pad = null,
    string? Unk = null,
    string? Sep = null,
    string? Cls = null,
    string? Mask = null)
{
    /// <summary>No role is taken.</summary>
    public static SpecialTokens None { get; } = new();

    /// <summary>Role names as the files spell them, with their tokens, in a fixed order; roles not taken are left out.</summary>
    public IEnumerable<(string Role, string Token)> Roles()
    {
        (string Role, string? Token)[] all =
        [
            ("bos_token", Bos), ("eos_token", Eos), ("unk_token", Unk), ("sep_token", Sep), ("pad_token", Pad), ("cls_token", Cls), ("mask_token", Mask),
        ];
        foreach ((string role, string? token) in all)
        {
            if (token is not null)
                yield return (role, token);
        }
    }
}

/// <summary>The ids of <see cref="SpecialTokens"/>; null where a role is not taken.</summary>
public sealed record SpecialTokenIds(int? Bos, int? Eos, int? Pad, int? Unk, int? Sep, int? Cls, int? Mask);
