using System.Text.Json;
using System.Text.Json.Nodes;

namespace Federated.Shared.Peft;

/// <summary>The settings of AdaLoRA: a LoRA of three factors whose ranks training shares out among the layers.</summary>
public sealed record AdaLoraConfig : PeftConfig
{
    /// <summary>PEFT's name.</summary>
    public const string Kind = "ADALORA";

    private const string Suffix = ".lora_E";

    /// <inheritdoc/>
    public override string PeftType => Kind;

    /// <summary>Every module's rank at the start, 1 or more.</summary>
    public int InitialRank { get; init; } = 12;

    /// <summary>The modules' mean rank in the end, 1 or more.</summary>
    public int TargetRank { get; init; } = 8;

    /// <summary>Numerator of the scaling.</summary>
    public double Alpha { get; init; } = 8;

    /// <summary>Probability in [0, 1) with which inputs of A are dropped while training.</summary>
    public double Dropout { get; init; }

    /// <summary>Steps before ranks begin to fall.</summary>
    public int InitialSteps { get; init; }

    /// <summary>Steps in the end with the ranks fixed.</summary>
    public int FinalSteps { get; init; }

    /// <summary>Steps from one sharing out to the next, 1 or more.</summary>
    public int Interval { get; init; } = 1;

    /// <summary>All steps; only training needs it.</summary>
    public int? TotalSteps { get; init; }

    /// <summary>Smoothing of the sensitivities, in (0, 1).</summary>
    public double Beta1 { get; init; } = 0.85;

    /// <summary>Smoothing of their uncertainty, in (0, 1).</summary>
    public double Beta2 { get; init; } = 0.85;

    /// <summary>Weight of the term that keeps A and B orthogonal, 0 or more.</summary>
    public double OrthogonalityWeight { get; init; } = 0.5;

    /// <summary>Which of a module's triplets are kept, by full module name; null before training has shared out.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<bool>>? RankPattern { get; init; }

    /// <summary>Whether the change starts at zero; else all factors are normal.</summary>
    public bool InitLoraWeights { get; init; } = true;

    /// <summary>Whether the base stores its weights as (in, out), as GPT-2 does.</summary>
    public bool FanInFanOut { get; init; }

    /// <summary>The factor of B·(A∘E). The rank at the start counts, whatever training left of it; the small constant is PEFT's.</summary>
    public double Scaling => (Alpha > 0 ? Alpha : InitialRank) / (InitialRank + 1e-5);

    /// <summary>Rank of a module's factors in the file; may be 0.</summary>
    /// <param name="module">Full module name.</param>
    public int RankOf(string module) => KeptOf(module)?.Count(kept => kept) ?? InitialRank;

    /// <summary>Which of a module's triplets are in the file; null for all.</summary>
    /// <param name="module">Full module name.</param>
    public IReadOnlyList<bool>? KeptOf(string module) => RankPattern?.GetValueOrDefault(module);

    internal static PeftConfig Read(JsonFields fields)
    {
        fields.Only("bias", "none");
        fields.Ignore("r", v => v.ValueKind == JsonValueKind.Number);
        fields.Ignore("megatron_core", JsonFields.IsText);
        fields.Ignore("qalora_group_size", v => v.ValueKind == JsonValueKind.Number);
        fields.Ignore("runtime_config", v => v.ValueKind == JsonValueKind.Object);
        AdaLoraConfig config = new()
        {
            InitialRank = fields.Rank("init_r", 12),
            TargetRank = fields.Rank("target_r", 8),
            Alpha = fields.Number("lora_alpha", 8, _ => true, "a number"),
            Dropout = fields.Dropout("lora_dropout"),
            InitialSteps = fields.Whole("tinit", 0, 0),
            FinalSteps = fields.Whole("tfinal", 0, 0),
            Interval = fields.Whole("deltaT", 1, 1),
            TotalSteps = fields.TryGet("total_step", out _) ? fields.Whole("total_step", 1, 1) : null,
            Beta1 = fields.Number("beta1", 0.85, IsSmoothing, "a number between 0 and 1"),
            Beta2 = fields.Number("beta2", 0.85, IsSmoothing, "a number between 0 and 1"),
            OrthogonalityWeight = fields.Number("orth_reg_weight", 0.5, w => w >= 0, "a number of 0 or more"),
            InitLoraWeights = fields.Flag("init_lora_weights", true),
            FanInFanOut = fields.Flag("fan_in_fan_out", false),
        };
        if (config.TotalSteps is { } total && (long)config.InitialSteps + config.FinalSteps >= total)
            fields.Fault($"tinit {config.InitialSteps} and tfinal {config.FinalSteps} leave none of the {total} steps (total_step) for sharing out ranks.");
        return config with { RankPattern = Pattern(fields, config.InitialRank) };
    }

    internal override void Write(JsonObject json)
    {
        json["init_r"] = InitialRank;
        json["target_r"] = TargetRank;
        json["lora_alpha"] = PeftJson.Number(Alpha);
        json["lora_dropout"] = PeftJson.Float(Dropout);
        json["tinit"] = InitialSteps;
        json["tfinal"] = FinalSteps;
        json["deltaT"] = Interval;
        json["total_step"] = TotalSteps;
        json["beta1"] = PeftJson.Float(Beta1);
        json["beta2"] = PeftJson.Float(Beta2);
        json["orth_reg_weight"] = PeftJson.Float(OrthogonalityWeight);
        json["rank_pattern"] = RankPattern is null
            ? null
            : new JsonObject(RankPattern.Select(entry => KeyValuePair.Create(entry.Key + Suffix, (JsonNode?)new JsonArray([.. entry.Value.Select(kept => (JsonNode)kept)]))));
        json["init_lora_weights"] = InitLoraWeights;
        json["fan_in_fan_out"] = FanInFanOut;
        json["bias"] = "none";
    }

    private static bool IsSmoothing(double value) => value is > 0 and < 1;

    // Keys are names of E, in files of some versions with the adapter's own name behind.
    private static OrderedDictionary<string, IReadOnlyList<bool>>? Pattern(JsonFields fields, int rank)
    {
        if (fields.Flags("rank_pattern", rank) is not { } pattern)
            return null;

        OrderedDictionary<string, IReadOnlyList<bool>> modules = new(StringComparer.Ordinal);
        foreach ((string name, IReadOnlyList<bool> kept) in pattern)
        {
            int end = name.LastIndexOf(Suffix, StringComparison.Ordinal);
            if (end <= 0 || !modules.TryAdd(name[..end], kept))
                fields.Fault($"rank_pattern names '{name}'; wanted each module once, with '{Suffix}' behind.");
        }

        return modules;
    }
}
