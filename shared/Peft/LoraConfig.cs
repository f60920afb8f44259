using System.Text.Json;

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

/// <summary>A LoRA adapter's settings: Hugging Face PEFT's <c>adapter_config.json</c> with <c>peft_type</c> LORA.</summary>
/// <remarks>
/// Reading is strict: what this project does not support (another peft_type, layer replication, Megatron, LoftQ, unknown fields with a
/// value) is an error that names it. Fields that are absent take PEFT's defaults. Fields without effect here are kept and written back.
/// </remarks>
public sealed record LoraConfig
{
    /// <summary><see cref="InitLoraWeights"/>: A uniform (Kaiming, a = sqrt 5), B zero; <c>true</c> in the file.</summary>
    public const string DefaultInit = "default";

    /// <summary><see cref="InitLoraWeights"/>: both random; <c>false</c> in the file.</summary>
    public const string RandomInit = "random";

    /// <summary>Rank r of the factors, 1 or more.</summary>
    public int Rank { get; init; } = 8;

    /// <summary>Numerator of the scaling.</summary>
    public double Alpha { get; init; } = 8;

    /// <summary>Probability in [0, 1) with which inputs of A are dropped while training.</summary>
    public double Dropout { get; init; }

    /// <summary>The modules that get factors.</summary>
    public required ModuleSelector TargetModules { get; init; }

    /// <summary>Modules that get none although <see cref="TargetModules"/> names them.</summary>
    public ModuleSelector? ExcludeModules { get; init; }

    /// <summary>Other ranks by module: patterns for the end of the name, the first that matches counts.</summary>
    public IReadOnlyList<KeyValuePair<string, int>> RankPattern { get; init => field = new ModulePatterns<int>(value); } = ModulePatterns<int>.Empty;

    /// <summary>Other alphas by module: patterns for the end of the name, the first that matches counts.</summary>
    public IReadOnlyList<KeyValuePair<string, double>> AlphaPattern { get; init => field = new ModulePatterns<double>(value); } = ModulePatterns<double>.Empty;

    /// <summary>Which biases train.</summary>
    public LoraBias Bias { get; init; }

    /// <summary>Ends of the names of modules that train whole and are stored whole, such as a classification head; null if none.</summary>
    public IReadOnlyList<string>? ModulesToSave { get; init; }

    /// <summary>Only these layers get factors; null for all. Counts for modules that <see cref="TargetModules"/> lists by the end of their name.</summary>
    public IReadOnlyList<int>? LayersToTransform { get; init; }

    /// <summary>Names of the module list that holds the layers; null to take any number in the name.</summary>
    public IReadOnlyList<string>? LayersPattern { get; init; }

    /// <summary>Whether the scaling divides by the square root of the rank (rank-stabilised LoRA).</summary>
    public bool UseRsLora { get; init; }

    /// <summary>Whether a magnitude vector is trained beside the factors (DoRA).</summary>
    public bool UseDora { get; init; }

    /// <summary>Whether the base stores its weights as (in, out), as GPT-2 does.</summary>
    public bool FanInFanOut { get; init; }

    /// <summary>PEFT's word for the task, for example <c>SEQ_CLS</c> or <c>CAUSAL_LM</c>.</summary>
    public string? TaskType { get; init; }

    /// <summary>Where the base model came from.</summary>
    public string? BaseModelNameOrPath { get; init; }

    /// <summary>How the factors start: <see cref="DefaultInit"/>, <see cref="RandomInit"/>, gaussian, olora, pissa or pissa_niter_N.</summary>
    public string InitLoraWeights { get; init; } = DefaultInit;

    /// <summary>Whether the adapter was saved for inference only.</summary>
    public bool InferenceMode { get; init; } = true;

    /// <summary>Fields without effect here, as they stood in the file.</summary>
    public IReadOnlyDictionary<string, JsonElement> Extra { get; init; } = new Dictionary<string, JsonElement>();

    /// <summary>Reads the text of <c>adapter_config.json</c>.</summary>
    /// <param name="utf8">JSON in UTF-8, at most 1 MiB.</param>
    /// <param name="source">What error messages call it.</param>
    /// <exception cref="PeftFormatException">Malformed, out of range, or not supported; lists every fault.</exception>
    public static LoraConfig Parse(ReadOnlyMemory<byte> utf8, string source) => LoraConfigReader.Read(utf8, source);

    /// <summary>The text of <c>adapter_config.json</c> as PEFT writes it: keys sorted, two spaces, no newline at the end.</summary>
    /// <returns>UTF-8; the same settings give the same bytes.</returns>
    public byte[] ToJson() => LoraConfigWriter.Write(this);

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

    /// <summary>Whether a module is trained and stored whole; its parts are too.</summary>
    /// <param name="module">Full module name, or that of a module inside it.</param>
    public bool IsSavedWhole(string module)
    {
        if (ModulesToSave is null)
            return false;

        for (int end = module.Length; end > 0; end = module.LastIndexOf('.', end - 1))
        {
            ReadOnlyMemory<char> outer = module.AsMemory(0, end);
            if (ModulesToSave.Any(name => outer.Span.EndsWith(name, StringComparison.Ordinal)))
                return true;
        }

        return false;
    }
}
