using System.Text.Json.Nodes;

namespace Federated.Shared.Peft;

/// <summary>The network that p-tuning trains in place of the prompt.</summary>
public enum PromptEncoderKind
{
    /// <summary>Three linear layers.</summary>
    Mlp,

    /// <summary>A bidirectional LSTM under two linear layers.</summary>
    Lstm,
}

/// <summary>The settings of p-tuning: prompt tuning whose vectors come from a small network, which is trained and then left behind.</summary>
public sealed record PTuningConfig : PromptLearningConfig
{
    /// <summary>PEFT's name.</summary>
    public const string Kind = "P_TUNING";

    /// <inheritdoc/>
    public override string PeftType => Kind;

    /// <summary>The network.</summary>
    public PromptEncoderKind Encoder { get; init; }

    /// <summary>Width of the network's inner layers; null takes the virtual tokens' width.</summary>
    public int? EncoderHiddenSize { get; init; }

    /// <summary>Number of layers of an LSTM; the other network always has three.</summary>
    public int EncoderLayers { get; init; } = 2;

    /// <summary>Dropout between the layers of an LSTM.</summary>
    public double EncoderDropout { get; init; }

    internal static PeftConfig Read(JsonFields fields) => Read(fields, new PTuningConfig
    {
        Encoder = fields.Choice("encoder_reparameterization_type", PromptEncoderKind.Mlp, ("MLP", PromptEncoderKind.Mlp), ("LSTM", PromptEncoderKind.Lstm)),
        EncoderHiddenSize = fields.WholeOrNull("encoder_hidden_size", 1),
        EncoderLayers = fields.Whole("encoder_num_layers", 2, 1),
        EncoderDropout = fields.Dropout("encoder_dropout"),
    });

    internal override void Write(JsonObject json)
    {
        base.Write(json);
        json["encoder_reparameterization_type"] = Encoder == PromptEncoderKind.Lstm ? "LSTM" : "MLP";
        json["encoder_hidden_size"] = EncoderHiddenSize;
        json["encoder_num_layers"] = EncoderLayers;
        json["encoder_dropout"] = PeftJson.Float(EncoderDropout);
    }
}
