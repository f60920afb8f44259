using System.Text.Json.Nodes;

namespace Federated.Shared.Peft;

/// <summary>The settings of prefix tuning: keys and values of every layer that stand before those of each text.</summary>
public sealed record PrefixTuningConfig : PromptLearningConfig
{
    /// <summary>PEFT's name.</summary>
    public const string Kind = "PREFIX_TUNING";

    /// <inheritdoc/>
    public override string PeftType => Kind;

    /// <summary>Whether a small network is trained in place of the keys and values, and then left behind.</summary>
    public bool PrefixProjection { get; init; }

    /// <summary>Width of the network's inner layer; null takes that of the keys of one layer.</summary>
    public int? EncoderHiddenSize { get; init; }

    internal static PeftConfig Read(JsonFields fields) => Read(fields, new PrefixTuningConfig
    {
        PrefixProjection = fields.Flag("prefix_projection", false),
        EncoderHiddenSize = fields.WholeOrNull("encoder_hidden_size", 1),
    });

    internal override void Write(JsonObject json)
    {
        base.Write(json);
        json["prefix_projection"] = PrefixProjection;
        json["encoder_hidden_size"] = EncoderHiddenSize;
    }
}
