using System.Text.Json.Nodes;

namespace Federated.Shared.Peft;

/// <summary>The settings of BOFT, which rotates a layer's input by a butterfly of block rotations and scales its output.</summary>
public sealed record BoftConfig : PeftConfig
{
    /// <summary>PEFT's name.</summary>
    public const string Kind = "BOFT";

    /// <inheritdoc/>
    public override string PeftType => Kind;

    /// <summary>How wide a block is; 0 if <see cref="Blocks"/> says it.</summary>
    public int BlockSize { get; init; } = 4;

    /// <summary>How many blocks a layer has; 0 if <see cref="BlockSize"/> says it.</summary>
    public int Blocks { get; init; }

    /// <summary>How many block rotations follow each other, 1 or more.</summary>
    /// <remarks>PEFT makes only one, whatever this says, where it has no CUDA extension; the tensors of such an adapter show it.</remarks>
    public int Factors { get; init; } = 1;

    /// <summary>Share in [0, 1) of the blocks that do not rotate in a step of training.</summary>
    public double Dropout { get; init; }

    /// <summary>Whether rotations start as none; else they are random.</summary>
    public bool InitWeights { get; init; } = true;

    /// <summary>Whether the base stores its weights as (in, out), as GPT-2 does.</summary>
    public bool FanInFanOut { get; init; }

    internal static PeftConfig Read(JsonFields fields)
    {
        fields.Only("bias", "none");
        BoftConfig config = new()
        {
            BlockSize = fields.Whole("boft_block_size", 4, 0),
            Blocks = fields.Whole("boft_block_num", 0, 0),
            Factors = (int)fields.Number("boft_n_butterfly_factor", 1, n => n is >= 1 and <= 32 && n == Math.Floor(n), "a whole number from 1 to 32"),
            Dropout = fields.Dropout("boft_dropout"),
            InitWeights = fields.Flag("init_weights", true),
            FanInFanOut = fields.Flag("fan_in_fan_out", false),
        };
        if (config.Blocks == 0 == (config.BlockSize == 0))
            fields.Fault($"boft_block_num is {config.Blocks} and boft_block_size {config.BlockSize}; wanted one of them, and 0 for the other.");
        return config;
    }

    internal override void Write(JsonObject json)
    {
        json["boft_block_size"] = BlockSize;
        json["boft_block_num"] = Blocks;
        json["boft_n_butterfly_factor"] = Factors;
        json["boft_dropout"] = PeftJson.Float(Dropout);
        json["init_weights"] = InitWeights;
        json["fan_in_fan_out"] = FanInFanOut;
        json["bias"] = "none";
    }
}
