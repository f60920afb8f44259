using System.Text.Json.Nodes;

namespace Federated.Shared.Peft;

/// <summary>The settings of OFT, which rotates a layer's input block by block.</summary>
public sealed record OftConfig : PeftConfig
{
    /// <summary>PEFT's name.</summary>
    public const string Kind = "OFT";

    /// <inheritdoc/>
    public override string PeftType => Kind;

    /// <summary>How many blocks a layer has; 0 if <see cref="BlockSize"/> says it.</summary>
    public int Blocks { get; init; }

    /// <summary>How wide a block is; 0 if <see cref="Blocks"/> says it.</summary>
    public int BlockSize { get; init; } = 32;

    /// <summary>Share in [0, 1) of the blocks that do not rotate in a step of training.</summary>
    public double ModuleDropout { get; init; }

    /// <summary>Whether rotations are held small (constrained OFT), see <see cref="Epsilon"/>.</summary>
    public bool Constrained { get; init; }

    /// <summary>The bound of constrained OFT, above 0.</summary>
    public double Epsilon { get; init; } = 6e-5;

    /// <summary>Whether all blocks of a layer share one rotation.</summary>
    public bool BlockShare { get; init; }

    /// <summary>Whether the Cayley transform is a truncated series instead of exact.</summary>
    public bool UseNeumannSeries { get; init; } = true;

    /// <summary>Length of that series, from 1 to 100.</summary>
    public int NeumannTerms { get; init; } = 5;

    /// <summary>Whether rotations start as none; else they are random.</summary>
    public bool InitWeights { get; init; } = true;

    /// <summary>Whether the base stores its weights as (in, out), as GPT-2 does.</summary>
    public bool FanInFanOut { get; init; }

    internal static PeftConfig Read(JsonFields fields)
    {
        fields.Only("bias", "none");
        OftConfig config = new()
        {
            Blocks = fields.Whole("r", 0, 0),
            BlockSize = fields.Whole("oft_block_size", 32, 0),
            ModuleDropout = fields.Dropout("module_dropout"),
            Constrained = fields.Flag("coft", false),
            Epsilon = fields.Number("eps", 6e-5, e => e > 0, "a number above 0"),
            BlockShare = fields.Flag("block_share", false),
            UseNeumannSeries = fields.Flag("use_cayley_neumann", true),
            NeumannTerms = (int)fields.Number("num_cayley_neumann_terms", 5, n => n is >= 1 and <= 100 && n == Math.Floor(n), "a whole number from 1 to 100"),
            InitWeights = fields.Flag("init_weights", true),
            FanInFanOut = fields.Flag("fan_in_fan_out", false),
        };
        if (config.Blocks == 0 == (config.BlockSize == 0))
            fields.Fault($"r is {config.Blocks} and oft_block_size {config.BlockSize}; wanted one of them, and 0 for the other.");
        return config;
    }

    internal override void Write(JsonObject json)
    {
        json["r"] = Blocks;
        json["oft_block_size"] = BlockSize;
        json["module_dropout"] = PeftJson.Float(ModuleDropout);
        json["coft"] = Constrained;
        json["eps"] = PeftJson.Float(Epsilon);
        json["block_share"] = BlockShare;
        json["use_cayley_neumann"] = UseNeumannSeries;
        json["num_cayley_neumann_terms"] = NeumannTerms;
        json["init_weights"] = InitWeights;
        json["fan_in_fan_out"] = FanInFanOut;
        json["bias"] = "none";
    }
}
