using System.Text.Json.Nodes;
using Federated.Shared.Tensors;

namespace Federated.Shared.Peft;

/// <summary>An adapter's settings: Hugging Face PEFT's <c>adapter_config.json</c>, one derived record for each <c>peft_type</c>.</summary>
/// <remarks>
/// Reading is strict: what this project does not support (an unknown peft_type, layer replication, Megatron, unknown fields with a value)
/// is an error that names it. Fields that are absent take PEFT's defaults. Fields without effect here are kept and written back; what
/// was read and not changed is written as it stood, so that a folder goes out as the version of PEFT knew it that had written it.
/// </remarks>
public abstract record PeftConfig
{
    /// <summary>PEFT's name for the kind of adapter, for example <c>LORA</c>.</summary>
    public abstract string PeftType { get; }

    /// <summary>The modules that are adapted.</summary>
    public ModuleSelector TargetModules { get; init; } = ModuleSelector.None;

    /// <summary>Modules that are not although <see cref="TargetModules"/> names them.</summary>
    public ModuleSelector? ExcludeModules { get; init; }

    /// <summary>Only these layers are adapted; null for all. Counts for modules that <see cref="TargetModules"/> lists by the end of their name.</summary>
    public IReadOnlyList<int>? LayersToTransform { get; init; }

    /// <summary>Names of the module list that holds the layers; null to take any number in the name.</summary>
    public IReadOnlyList<string>? LayersPattern { get; init; }

    /// <summary>Ends of the names of modules that train whole and are stored whole, such as a classification head; null if none.</summary>
    public IReadOnlyList<string>? ModulesToSave { get; init; }

    /// <summary>PEFT's word for the task, for example <c>SEQ_CLS</c> or <c>CAUSAL_LM</c>.</summary>
    public string? TaskType { get; init; }

    /// <summary>Where the base model came from.</summary>
    public string? BaseModelNameOrPath { get; init; }

    /// <summary>Whether the adapter was saved for inference only.</summary>
    public bool InferenceMode { get; init; } = true;

    /// <summary>The file it was read from; null for settings made here.</summary>
    internal PeftConfigOrigin? Origin { get; init; }

    /// <summary>Which of the fields above this kind has in its file.</summary>
    internal virtual CommonFields Common => CommonFields.Targets | CommonFields.Layers | CommonFields.ModulesToSave;

    /// <summary>Reads the text of <c>adapter_config.json</c>.</summary>
    /// <param name="utf8">JSON in UTF-8, at most 1 MiB.</param>
    /// <param name="source">What error messages call it.</param>
    /// <exception cref="PeftFormatException">Malformed, out of range, or not supported; lists every fault.</exception>
    public static PeftConfig Parse(ReadOnlyMemory<byte> utf8, string source) => PeftConfigReader.Read(utf8, source);

    /// <summary>Reads an <c>adapter_config.json</c>; no more of it than a configuration may have.</summary>
    /// <exception cref="PeftFormatException">As <see cref="Parse"/>.</exception>
    public static PeftConfig ReadFile(string path)
    {
        using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.Read);
        byte[] text = new byte[PeftConfigReader.MaxBytes + 1];
        return Parse(text.AsMemory(0, file.ReadAtLeast(text, text.Length, throwOnEndOfStream: false)), path);
    }

    /// <summary>The text of <c>adapter_config.json</c> as PEFT writes it: keys sorted, two spaces, no newline at the end.</summary>
    /// <returns>UTF-8; the same settings give the same bytes.</returns>
    public byte[] ToJson() => PeftConfigWriter.Write(this);

    /// <summary>Ends of the names of the modules that are saved whole; null for none.</summary>
    protected virtual IReadOnlyList<string>? SavedWhole => ModulesToSave;

    /// <summary>The name in the PEFT file of a parameter that is saved whole.</summary>
    /// <param name="module">Full module name.</param>
    /// <param name="parameter">The parameter's own name, for example <c>weight</c>.</param>
    public virtual string NameOfWhole(string module, string parameter) => PeftNames.Whole(module, parameter);

    /// <summary>Whether a module is trained and stored whole; its parts are too.</summary>
    /// <param name="module">Full module name, or that of a module inside it.</param>
    public bool IsSavedWhole(string module)
    {
        if (SavedWhole is not { } names)
            return false;

        for (int end = module.Length; end > 0; end = module.LastIndexOf('.', end - 1))
        {
            ReadOnlyMemory<char> outer = module.AsMemory(0, end);
            if (names.Any(name => outer.Span.EndsWith(name, StringComparison.Ordinal)))
                return true;
        }

        return false;
    }

    /// <summary>What is wrong with tensors by these settings alone; a model knows more.</summary>
    internal virtual IEnumerable<string> TensorFaults(NamedTensors tensors) => [];

    /// <summary>Writes this kind's own fields.</summary>
    internal abstract void Write(JsonObject json);
}

/// <summary>Fields that several kinds of adapter have, beside those that all have.</summary>
[Flags]
internal enum CommonFields
{
    None = 0,

    /// <summary>target_modules and exclude_modules.</summary>
    Targets = 1,

    /// <summary>layers_to_transform and layers_pattern.</summary>
    Layers = 2,

    /// <summary>modules_to_save.</summary>
    ModulesToSave = 4,
}
