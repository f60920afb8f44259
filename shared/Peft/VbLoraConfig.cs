using System.Text.Json.Nodes;

namespace Federated.Shared.Peft;

/// <summary>The settings of VB-LoRA: both factors of LoRA are put together from the vectors of one bank.</summary>
public sealed record VbLoraConfig : PeftConfig
{
    /// <summary>PEFT's name.</summary>
    public const string Kind = "VBLORA";

    /// <inheritdoc/>
    public override string PeftType => Kind;

    /// <summary>Rank r of the factors, 1 or more.</summary>
    public int Rank { get; init; } = 4;

    /// <summary>How many vectors the bank has, 1 or more.</summary>
    public int Vectors { get; init; } = 256;

    /// <summary>How many numbers a vector has; divides the layers' widths.</summary>
    public int VectorLength { get; init; } = 256;

    /// <summary>How many vectors are mixed for each piece, from 1 to <see cref="Vectors"/>.</summary>
    public int TopK { get; init; } = 2;

    /// <summary>Probability in [0, 1) with which inputs are dropped while training.</summary>
    public double Dropout { get; init; }

    /// <summary>The bank starts uniform on plus or minus this.</summary>
    public double InitialBankBound { get; init; } = 0.02;

    /// <summary>The logits start normal with this deviation.</summary>
    public double InitialLogitsDeviation { get; init; } = 0.1;

    /// <summary>Whether the base stores its weights as (in, out), as GPT-2 does.</summary>
    public bool FanInFanOut { get; init; }

    internal static PeftConfig Read(JsonFields fields)
    {
        fields.Only("bias", "none");
        VbLoraConfig config = new()
        {
            Rank = fields.Rank("r", 4),
            Vectors = fields.Rank("num_vectors", 256),
            VectorLength = fields.Rank("vector_length", 256),
            TopK = fields.Rank("topk", 2),
            Dropout = fields.Dropout("vblora_dropout"),
            InitialBankBound = fields.Number("init_vector_bank_bound", 0.02, IsSize, "a number of 0 or more"),
            InitialLogitsDeviation = fields.Number("init_logits_std", 0.1, IsSize, "a number of 0 or more"),
            FanInFanOut = fields.Flag("fan_in_fan_out", false),
        };
        if (config.TopK > config.Vectors)
            fields.Fault($"topk is {config.TopK}; wanted at most num_vectors, {config.Vectors}.");
        return config;
    }

    internal override void Write(JsonObject json)
    {
        json["r"] = Rank;
        json["num_vectors"] = Vectors;
        json["vector_length"] = VectorLength;
        json["topk"] = TopK;
        json["vblora_dropout"] = PeftJson.Float(Dropout);
        json["init_vector_bank_bound"] = PeftJson.Float(InitialBankBound);
        json["init_logits_std"] = PeftJson.Float(InitialLogitsDeviation);
        json["fan_in_fan_out"] = FanInFanOut;
        json["bias"] = "none";

        // The weights of the mixed vectors alone are of no use for training on; not supported, so never on.
        json["save_only_topk_weights"] = false;
    }

    private static bool IsSize(double value) => value >= 0;
}
