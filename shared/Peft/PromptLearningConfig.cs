using System.Text.Json.Nodes;

namespace Federated.Shared.Peft;

/// <summary>What the settings of all adapters before the input have: virtual tokens that a model reads before each text.</summary>
public abstract record PromptLearningConfig : PeftConfig
{
    private const int MostTokens = 1 << 20;
    private static readonly string[] ClassifierHeads = ["classifier", "score"];

    /// <summary>Number of virtual tokens, 1 or more.</summary>
    public int VirtualTokens { get; init; } = 1;

    /// <summary>Width of a virtual token; null takes the model's.</summary>
    public int? TokenDim { get; init; }

    /// <summary>Number of attention heads; null takes the model's.</summary>
    public int? AttentionHeads { get; init; }

    /// <summary>Number of layers; null takes the model's.</summary>
    public int? Layers { get; init; }

    internal override CommonFields Common => CommonFields.None;

    /// <summary>PEFT trains and stores a classifier's head along, without a word in the file.</summary>
    protected override IReadOnlyList<string>? SavedWhole => TaskType is "SEQ_CLS" or "TOKEN_CLS" ? ClassifierHeads : null;

    /// <inheritdoc/>
    public override string NameOfWhole(string module, string parameter) => $"base_model.{module}.{parameter}";

    /// <summary>Reads the fields that all these kinds have.</summary>
    private protected static T Read<T>(JsonFields fields, T config)
        where T : PromptLearningConfig
    {
        if (fields.WholeOrNull("num_transformer_submodules", 1) is not (null or 1) and var submodules)
            fields.Fault("num_transformer_submodules", $"{submodules}", "1: models of an encoder and a decoder are not supported");
        return config with
        {
            VirtualTokens = (int)fields.Number("num_virtual_tokens", 1, n => n is >= 1 and <= MostTokens && n == Math.Floor(n), $"a whole number from 1 to {MostTokens}", required: true),
            TokenDim = fields.WholeOrNull("token_dim", 1),
            AttentionHeads = fields.WholeOrNull("num_attention_heads", 1),
            Layers = fields.WholeOrNull("num_layers", 1),
        };
    }

    internal override void Write(JsonObject json)
    {
        json["num_virtual_tokens"] = VirtualTokens;
        json["num_transformer_submodules"] = 1;
        json["token_dim"] = TokenDim;
        json["num_attention_heads"] = AttentionHeads;
        json["num_layers"] = Layers;
    }
}
