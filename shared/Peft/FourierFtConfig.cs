using System.Text.Json.Nodes;

namespace Federated.Shared.Peft;

/// <summary>The settings of FourierFT, whose change has a sparse spectrum.</summary>
public sealed record FourierFtConfig : PeftConfig
{
    /// <summary>PEFT's name.</summary>
    public const string Kind = "FOURIERFT";

    /// <inheritdoc/>
    public override string PeftType => Kind;

    /// <summary>How many frequencies a layer has, from 1 to its inputs times its outputs.</summary>
    public int Frequencies { get; init; } = 1000;

    /// <summary>Other numbers of frequencies by module: patterns for the end of the name, the first that matches counts.</summary>
    public IReadOnlyList<KeyValuePair<string, int>> FrequencyPattern { get; init => field = new ModulePatterns<int>(value); } = ModulePatterns<int>.Empty;

    /// <summary>Factor of the change.</summary>
    public double Scaling { get; init; } = 150;

    /// <summary>Seed of the frequencies' places.</summary>
    public long LocationSeed { get; init; } = 777;

    /// <summary>Whether the change starts at zero; PEFT's default is a normal spectrum.</summary>
    public bool InitWeights { get; init; }

    /// <summary>Whether the base stores its weights as (in, out), as GPT-2 does.</summary>
    public bool FanInFanOut { get; init; }

    /// <summary>How many frequencies a module has.</summary>
    /// <param name="module">Full module name.</param>
    public int FrequenciesOf(string module) => ((ModulePatterns<int>)FrequencyPattern).Pick(module, Frequencies);

    internal static PeftConfig Read(JsonFields fields)
    {
        fields.Only("bias", "none");
        return new FourierFtConfig
        {
            Frequencies = fields.Rank("n_frequency", 1000),
            FrequencyPattern = fields.RankPattern("n_frequency_pattern"),
            Scaling = fields.Number("scaling", 150, _ => true, "a number"),
            LocationSeed = fields.Seed("random_loc_seed", 777),
            InitWeights = fields.Flag("init_weights", false),
            FanInFanOut = fields.Flag("fan_in_fan_out", false),
        };
    }

    internal override void Write(JsonObject json)
    {
        json["n_frequency"] = Frequencies;
        json["n_frequency_pattern"] = PeftJson.Of(FrequencyPattern);
        json["scaling"] = PeftJson.Float(Scaling);
        json["random_loc_seed"] = LocationSeed;
        json["init_weights"] = InitWeights;
        json["fan_in_fan_out"] = FanInFanOut;
        json["bias"] = "none";
    }
}
