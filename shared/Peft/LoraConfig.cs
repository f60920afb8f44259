using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Federated.Shared.Tensors;

namespace Federated.Shared.Peft;

/// <summary>Which biases of the base model train along.</summary>
public enum LoraBias
{
    /// <summary>None.</summary>
    None,

    /// <summary>Every bias of the model.</summary>
    All,

    /// <summary>The biases of the adapted modules.</summary>
    LoraOnly,
}

/// <summary>The settings of LoRA and of its relatives that PEFT keeps under the same name: rsLoRA, DoRA, PiSSA, OLoRA.</summary>
public sealed partial record LoraConfig : PeftConfig
{
    /// <summary>PEFT's name.</summary>
    public const string Kind = "LORA";

    /// <summary><see cref="InitLoraWeights"/>: A uniform (Kaiming, a = sqrt 5), B zero; <c>true</c> in the file.</summary>
    public const string DefaultInit = "default";

    /// <summary><see cref="InitLoraWeights"/>: both random; <c>false</c> in the file.</summary>
    public const string RandomInit = "random";

    /// <inheritdoc/>
    public override string PeftType => Kind;

    /// <summary>Rank r of the factors, 1 or more.</summary>
    public int Rank { get; init; } = 8;

    /// <summary>Numerator of the scaling.</summary>
    public double Alpha { get; init; } = 8;

    /// <summary>Probability in [0, 1) with which inputs of A are dropped while training.</summary>
    public double Dropout { get; init; }

    /// <summary>Other ranks by module: patterns for the end of the name, the first that matches counts.</summary>
    public IReadOnlyList<KeyValuePair<string, int>> RankPattern { get; init => field = new ModulePatterns<int>(value); } = ModulePatterns<int>.Empty;

    /// <summary>Other alphas by module: patterns for the end of the name, the first that matches counts.</summary>
    public IReadOnlyList<KeyValuePair<string, double>> AlphaPattern { get; init => field = new ModulePatterns<double>(value); } = ModulePatterns<double>.Empty;

    /// <summary>Which biases train.</summary>
    public LoraBias Bias { get; init; }

    /// <summary>Whether the scaling divides by the square root of the rank (rank-stabilised LoRA).</summary>
    public bool UseRsLora { get; init; }

    /// <summary>Whether a magnitude vector is trained beside the factors (DoRA).</summary>
    public bool UseDora { get; init; }

    /// <summary>Whether the base stores its weights as (in, out), as GPT-2 does.</summary>
    public bool FanInFanOut { get; init; }

    /// <summary>How the factors start: <see cref="DefaultInit"/>, <see cref="RandomInit"/>, gaussian, olora, pissa or pissa_niter_N.</summary>
    public string InitLoraWeights { get; init; } = DefaultInit;

    /// <summary>Rank of a module's factors.</summary>
    /// <param name="module">Full module name.</param>
    public int RankOf(string module) => ((ModulePatterns<int>)RankPattern).Pick(module, Rank);

    /// <summary>Alpha of a module.</summary>
    /// <param name="module">Full module name.</param>
    public double AlphaOf(string module) => ((ModulePatterns<double>)AlphaPattern).Pick(module, Alpha);

    /// <summary>The factor before B·A: alpha / r, or alpha / sqrt(r) with <see cref="UseRsLora"/>.</summary>
    /// <param name="module">Full module name.</param>
    public double ScalingOf(string module) =>
        AlphaOf(module) / (UseRsLora ? Math.Sqrt(RankOf(module)) : RankOf(module));

    internal static PeftConfig Read(JsonFields fields)
    {
        fields.Ignore("megatron_core", JsonFields.IsText);
        fields.Ignore("qalora_group_size", v => v.ValueKind == JsonValueKind.Number);
        fields.Ignore("runtime_config", v => v.ValueKind == JsonValueKind.Object);
        return new LoraConfig
        {
            Rank = fields.Rank("r", 8),
            Alpha = fields.Number("lora_alpha", 8, _ => true, "a number"),
            Dropout = fields.Dropout("lora_dropout"),
            RankPattern = fields.RankPattern("rank_pattern"),
            AlphaPattern = fields.AlphaPattern("alpha_pattern"),
            Bias = fields.Choice("bias", LoraBias.None, ("none", LoraBias.None), ("all", LoraBias.All), ("lora_only", LoraBias.LoraOnly)),
            UseRsLora = fields.Flag("use_rslora", false),
            UseDora = fields.Flag("use_dora", false),
            FanInFanOut = fields.Flag("fan_in_fan_out", false),
            InitLoraWeights = Init(fields),
        };
    }

    internal override void Write(JsonObject json)
    {
        json["r"] = Rank;
        json["lora_alpha"] = PeftJson.Number(Alpha);
        json["lora_dropout"] = PeftJson.Float(Dropout);
        json["rank_pattern"] = PeftJson.Of(RankPattern);
        json["alpha_pattern"] = PeftJson.Of(AlphaPattern);
        json["bias"] = Bias switch { LoraBias.All => "all", LoraBias.LoraOnly => "lora_only", _ => "none" };
        json["use_rslora"] = UseRsLora;
        json["use_dora"] = UseDora;
        json["fan_in_fan_out"] = FanInFanOut;
        json["init_lora_weights"] = InitLoraWeights switch { DefaultInit => true, RandomInit => false, _ => InitLoraWeights };

        // Without effect here; some versions of PEFT expect them.
        json["layer_replication"] = null;
        json["loftq_config"] = new JsonObject();
        json["megatron_config"] = null;
        json["megatron_core"] = "megatron.core";
    }

    internal override IEnumerable<string> TensorFaults(NamedTensors tensors) => LoraTensors.Faults(this, tensors);

    private static string Init(JsonFields fields)
    {
        if (!fields.TryGet("init_lora_weights", out JsonElement value))
            return DefaultInit;

        switch (value.ValueKind)
        {
            case JsonValueKind.True: return DefaultInit;
            case JsonValueKind.False: return RandomInit;
            case JsonValueKind.String when SupportedInit().IsMatch(value.GetString()!): return value.GetString()!;
            default:
                fields.Fault("init_lora_weights", value, "true, false, gaussian, olora, pissa or pissa_niter_N; other ways to start are not supported");
                return DefaultInit;
        }
    }

    [GeneratedRegex(@"\A(gaussian|olora|pissa|pissa_niter_[0-9]{1,4})\z", RegexOptions.CultureInvariant)]
    private static partial Regex SupportedInit();
}
