using Federated.Shared.Tensors;

namespace Federated.Shared.Peft;

/// <summary>An adapter on disk as Hugging Face PEFT keeps it: <c>adapter_config.json</c> and <c>adapter_model.safetensors</c>.</summary>
public sealed class AdapterFolder
{
    /// <summary>Name of the settings' file.</summary>
    public const string ConfigFile = "adapter_config.json";

    /// <summary>Name of the tensors' file.</summary>
    public const string WeightsFile = "adapter_model.safetensors";

    private AdapterFolder(PeftConfig config, NamedTensors tensors)
    {
        Config = config;
        Tensors = tensors;
    }

    /// <summary>The settings.</summary>
    public PeftConfig Config { get; }

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

        PeftConfig config = PeftConfig.ReadFile(configPath);
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
    public static void Write(string folder, PeftConfig config, NamedTensors tensors, DType dtype = DType.F32)
    {
        Check(config, tensors, folder);
        Directory.CreateDirectory(folder);
        tensors.Save(Path.Combine(folder, WeightsFile), dtype);
        string path = Path.Combine(folder, ConfigFile);
        File.WriteAllBytes(path + ".part", config.ToJson());
        File.Move(path + ".part", path, overwrite: true);
    }

    /// <summary>Holds tensors against settings, as far as that goes without the model; see <see cref="PeftConfig"/>.</summary>
    /// <param name="config">The settings.</param>
    /// <param name="tensors">The tensors under PEFT's names.</param>
    /// <param name="source">What error messages call them.</param>
    /// <exception cref="PeftFormatException">They do not belong together; lists every fault.</exception>
    public static void Check(PeftConfig config, NamedTensors tensors, string source)
    {
        string[] faults = [.. config.TensorFaults(tensors)];
        if (faults.Length > 0)
            throw PeftFormatException.Of(source, faults);
    }
}
