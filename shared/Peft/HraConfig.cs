using System.Text.Json.Nodes;

namespace Federated.Shared.Peft;

/// <summary>The settings of HRA, which rotates a layer's input by a chain of Householder reflections.</summary>
public sealed record HraConfig : PeftConfig
{
    /// <summary>PEFT's name.</summary>
    public const string Kind = "HRA";

    /// <inheritdoc/>
    public override string PeftType => Kind;

    /// <summary>How many reflections, 1 or more; only an even number can start without effect.</summary>
    public int Rank { get; init; } = 8;

    /// <summary>Whether the reflections' vectors are made orthogonal first (Gram-Schmidt).</summary>
    public bool Orthogonalise { get; init; }

    /// <summary>Whether the reflections start in equal pairs, which cancel out; else all are random.</summary>
    public bool InitWeights { get; init; } = true;

    internal static PeftConfig Read(JsonFields fields)
    {
        fields.Only("bias", "none");
        return new HraConfig
        {
            Rank = fields.Rank("r", 8),
            Orthogonalise = fields.Flag("apply_GS", false),
            InitWeights = fields.Flag("init_weights", true),
        };
    }

    internal override void Write(JsonObject json)
    {
        json["r"] = Rank;
        json["apply_GS"] = Orthogonalise;
        json["init_weights"] = InitWeights;
        json["bias"] = "none";
    }
}
