using System.Text.Json.Nodes;

namespace Federated.Shared.Peft;

/// <summary>The settings of VeRA: two random matrices that all layers share, and two trained vectors a layer.</summary>
public sealed record VeraConfig : PeftConfig
{
    /// <summary>PEFT's name.</summary>
    public const string Kind = "VERA";

    /// <inheritdoc/>
    public override string PeftType => Kind;

    /// <summary>Rank r of the shared matrices, 1 or more.</summary>
    public int Rank { get; init; } = 256;

    /// <summary>Seed of the shared matrices.</summary>
    public long ProjectionKey { get; init; }

    /// <summary>Whether the shared matrices are stored beside the vectors; without, they come from <see cref="ProjectionKey"/> again.</summary>
    public bool SaveProjection { get; init; } = true;

    /// <summary>Probability in [0, 1) with which inputs are dropped while training.</summary>
    public double Dropout { get; init; }

    /// <summary>What the inner vector starts with.</summary>
    public double InitialD { get; init; } = 0.1;

    /// <summary>Whether the change starts at zero; else the outer vector starts with ones, the inner one normal.</summary>
    public bool InitWeights { get; init; } = true;

    /// <summary>Whether the base stores its weights as (in, out), as GPT-2 does.</summary>
    public bool FanInFanOut { get; init; }

    internal static PeftConfig Read(JsonFields fields)
    {
        fields.Only("bias", "none");
        return new VeraConfig
        {
            Rank = fields.Rank("r", 256),
            ProjectionKey = fields.Seed("projection_prng_key", 0),
            SaveProjection = fields.Flag("save_projection", true),
            Dropout = fields.Dropout("vera_dropout"),
            InitialD = fields.Number("d_initial", 0.1, _ => true, "a number"),
            InitWeights = fields.Flag("init_weights", true),
            FanInFanOut = fields.Flag("fan_in_fan_out", false),
        };
    }

    internal override void Write(JsonObject json)
    {
        json["r"] = Rank;
        json["projection_prng_key"] = ProjectionKey;
        json["save_projection"] = SaveProjection;
        json["vera_dropout"] = PeftJson.Float(Dropout);
        json["d_initial"] = PeftJson.Float(InitialD);
        json["init_weights"] = InitWeights;
        json["fan_in_fan_out"] = FanInFanOut;
        json["bias"] = "none";
    }
}
