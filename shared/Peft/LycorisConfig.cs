using System.Text.Json.Nodes;

namespace Federated.Shared.Peft;

/// <summary>What the settings of LoHa and LoKr have in common; PEFT took both from the LyCORIS project.</summary>
public abstract record LycorisConfig : PeftConfig
{
    /// <summary>Rank r of the factors, 1 or more.</summary>
    public int Rank { get; init; } = 8;

    /// <summary>Numerator of the scaling, alpha / r.</summary>
    public double Alpha { get; init; } = 8;

    /// <summary>Other ranks by module: patterns for the end of the name, the first that matches counts.</summary>
    public IReadOnlyList<KeyValuePair<string, int>> RankPattern { get; init => field = new ModulePatterns<int>(value); } = ModulePatterns<int>.Empty;

    /// <summary>Other alphas by module: patterns for the end of the name, the first that matches counts.</summary>
    public IReadOnlyList<KeyValuePair<string, double>> AlphaPattern { get; init => field = new ModulePatterns<double>(value); } = ModulePatterns<double>.Empty;

    /// <summary>Probability in [0, 1) with which an output's share of the change is dropped while training.</summary>
    public double RankDropout { get; init; }

    /// <summary>Probability in [0, 1) with which a layer's whole change is dropped for a step while training.</summary>
    public double ModuleDropout { get; init; }

    /// <summary>Rank of a module's factors.</summary>
    /// <param name="module">Full module name.</param>
    public int RankOf(string module) => ((ModulePatterns<int>)RankPattern).Pick(module, Rank);

    /// <summary>The factor of the change, alpha / r.</summary>
    /// <param name="module">Full module name.</param>
    public double ScalingOf(string module) => ((ModulePatterns<double>)AlphaPattern).Pick(module, Alpha) / RankOf(module);

    /// <summary>Reads the common fields into a kind's settings.</summary>
    private protected static LycorisConfig Read(JsonFields fields, LycorisConfig config) => config with
    {
        Rank = fields.Rank("r", 8),
        Alpha = fields.Number("alpha", 8, _ => true, "a number"),
        RankPattern = fields.RankPattern("rank_pattern"),
        AlphaPattern = fields.AlphaPattern("alpha_pattern"),
        RankDropout = fields.Dropout("rank_dropout"),
        ModuleDropout = fields.Dropout("module_dropout"),
    };

    internal override void Write(JsonObject json)
    {
        json["r"] = Rank;
        json["alpha"] = PeftJson.Number(Alpha);
        json["rank_pattern"] = PeftJson.Of(RankPattern);
        json["alpha_pattern"] = PeftJson.Of(AlphaPattern);
        json["rank_dropout"] = PeftJson.Float(RankDropout);
        json["module_dropout"] = PeftJson.Float(ModuleDropout);

        // A decomposition of convolutions that are wider than one pixel; not supported, so never on.
        json["use_effective_conv2d"] = false;
    }
}
