using Federated.Shared.Tensors;

namespace Federated.Shared.Peft;

/// <summary>A LoRA adapter on disk as Hugging Face PEFT keeps it: <c>adapter_config.json</c> and <c>adapter_model.safetensors</c>.</summary>
public sealed class AdapterFolder
{
    /// <summary>Name of the settings' file.</summary>
    public const string ConfigFile = "adapter_config.json";

    /// <summary>Name of the tensors' file.</summary>
    public const string WeightsFile = "adapter_model.safetensors";

    private AdapterFolder(LoraConfig config, NamedTensors tensors)
    {
        Config = config;
        Tensors = tensors;
    }

    /// <summary>The settings.</summary>
    public LoraConfig Config { get; }

    /// <summary>The tensors under their names in the file, as float32.</summary>
    public NamedTensors Tensors { get; }

    /// <summary>Reads and checks an adapter.</summary>
    /// <param name="folder">Folder with the two files.</param>
    /// <exception cref="PeftFormatException">A file is missing, or settings and tensors do not belong together; lists every fault.</exception>
    /// <exception cref="TensorFormatException">The tensors' file is malformed.</exception>
    public static AdapterFolder Read(string folder)
    {
        string configPath = Path.Combine(folder, ConfigFile), weightsPath = Path.Combine(folder, WeightsFile);
        foreach (string path in (string[])[configPath, weightsPath])
        {
            if (!File.Exists(path))
                throw new PeftFormatException($"{path} is missing; an adapter folder holds {ConfigFile} and {WeightsFile}.");
        }

        LoraConfig config = LoraConfig.Parse(File.ReadAllBytes(configPath), configPath);
        NamedTensors tensors = NamedTensors.FromFile(weightsPath);
        Check(config, tensors, weightsPath);
        return new(config, tensors);
    }

    /// <summary>Checks and writes an adapter; each file is written beside its place and renamed.</summary>
    /// <param name="folder">Target; made if not there.</param>
    /// <param name="config">The settings.</param>
    /// <param name="tensors">The tensors under PEFT's names, see <see cref="PeftNames"/>.</param>
    /// <param name="dtype">Element type to store.</param>
    /// <exception cref="PeftFormatException">Settings and tensors do not belong together; lists every fault.</exception>
    public static void Write(string folder, LoraConfig config, NamedTensors tensors, DType dtype = DType.F32)
    {
        Check(config, tensors, folder);
        Directory.CreateDirectory(folder);
        tensors.Save(Path.Combine(folder, WeightsFile), dtype);
        string path = Path.Combine(folder, ConfigFile);
        File.WriteAllBytes(path + ".part", config.ToJson());
        File.Move(path + ".part", path, overwrite: true);
    }

    /// <summary>Holds tensors against settings: every name known, factors in pairs, ranks as the settings say.</summary>
    /// <param name="config">The settings.</param>
    /// <param name="tensors">The tensors under PEFT's names.</param>
    /// <param name="source">What error messages call them.</param>
    /// <exception cref="PeftFormatException">They do not belong together; lists every fault.</exception>
    public static void Check(LoraConfig config, NamedTensors tensors, string source)
    {
        List<string> faults = [];
        foreach (string text in tensors.Names)
        {
            if (!PeftNames.TryParse(text, out PeftTensorName? name))
            {
                faults.Add($"tensor '{text}' is none of a LoRA adapter.");
                continue;
            }

            if (CheckPartner(config, tensors, name) is { } partner)
                faults.Add(partner);
            if (CheckRank(config, name, tensors.Shape(text)) is { } rank)
                faults.Add($"tensor '{text}' {rank}");
        }

        if (faults.Count > 0)
            throw PeftFormatException.Of(source, faults);
    }

    private static string? CheckPartner(LoraConfig config, NamedTensors tensors, PeftTensorName name)
    {
        PeftPart? partner = name.Part switch
        {
            PeftPart.LoraA => PeftPart.LoraB,
            PeftPart.LoraB or PeftPart.Magnitude => PeftPart.LoraA,
            PeftPart.EmbeddingA => PeftPart.EmbeddingB,
            PeftPart.EmbeddingB => PeftPart.EmbeddingA,
            _ => null,
        };
        if (partner is { } part && !tensors.Contains(PeftNames.Format(new(name.Module, part))))
            return $"module '{name.Module}' has {name.Part} but no {part}.";
        if (name.Part == PeftPart.Magnitude && !config.UseDora)
            return $"module '{name.Module}' has DoRA magnitudes, but use_dora is false.";

        return name.Part == PeftPart.LoraA && config.UseDora && !tensors.Contains(PeftNames.Magnitude(name.Module))
            ? $"module '{name.Module}' has no DoRA magnitudes, but use_dora is true."
            : null;
    }

    private static string? CheckRank(LoraConfig config, PeftTensorName name, IReadOnlyList<long> shape)
    {
        int? dimension = name.Part switch
        {
            PeftPart.LoraA or PeftPart.EmbeddingA => 0,
            PeftPart.LoraB or PeftPart.EmbeddingB => 1,
            _ => null,
        };
        if (dimension is not { } d)
            return null;

        int rank = config.RankOf(name.Module);
        return shape.Count >= 2 && shape[d] == rank
            ? null
            : $"has shape ({string.Join(", ", shape)}); the settings give rank {rank}, wanted in dimension {d}.";
    }
}
