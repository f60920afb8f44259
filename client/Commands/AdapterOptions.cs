using System.CommandLine;
using Federated.Client.Models;
using Federated.Client.Training.Tasks;
using Federated.Shared.Peft;

namespace Federated.Client.Commands;

/// <summary>The options of <c>train</c> that say what trains: the settings of an adapter, from a file or one by one, or the whole model.</summary>
internal sealed class AdapterOptions
{
    private readonly Option<bool> _full = new("--full") { Description = "Train every parameter instead of an adapter, and write a whole checkpoint." };
    private readonly Option<string?> _initial = new("--init") { Description = "Adapter folder to start from; its settings are used." };
    private readonly Option<string?> _config = new("--adapter-config") { Description = "Settings of the adapter, of any kind, as PEFT's adapter_config.json has them." };
    private readonly Option<int> _rank = new("--rank") { Description = "Rank of the LoRA factors.", DefaultValueFactory = _ => 8 };
    private readonly Option<double> _alpha = new("--alpha") { Description = "Numerator of the scaling alpha / rank.", DefaultValueFactory = _ => 16 };
    private readonly Option<double> _dropout = new("--dropout") { Description = "Dropout before the first factor." };
    private readonly Option<string> _targets = new("--target-modules") { Description = "Layers that get factors, comma-separated; all-linear for every one below the head.", DefaultValueFactory = _ => ModuleSelector.AllLinearName };
    private readonly Option<string?> _saved = new("--modules-to-save") { Description = "Modules trained and stored whole, comma-separated. Default: a classifier's head, none of a language model." };
    private readonly Option<bool> _rsLora = new("--rslora") { Description = "Divide alpha by the square root of the rank." };
    private readonly Option<bool> _dora = new("--dora") { Description = "Train a magnitude of each output beside the factors." };
    private readonly Option<string> _start = new("--lora-init") { Description = "How factors start: default, gaussian, pissa or olora.", DefaultValueFactory = _ => LoraConfig.DefaultInit };

    private Option[] Settings => [_rank, _alpha, _dropout, _targets, _saved, _rsLora, _dora, _start];

    /// <summary>Adds the options to a command.</summary>
    public void AddTo(Command command)
    {
        foreach (Option option in (Option[])[_full, _initial, _config, .. Settings])
            command.Options.Add(option);
    }

    /// <summary>The values of a command line.</summary>
    public AdapterSettings Parse(ParseResult parsed) => new()
    {
        Full = parsed.GetValue(_full),
        Initial = parsed.GetValue(_initial),
        ConfigFile = parsed.GetValue(_config),
        Given = [.. Settings.Where(option => parsed.GetResult(option) is { Implicit: false }).Select(option => option.Name)],
        Rank = parsed.GetValue(_rank),
        Alpha = parsed.GetValue(_alpha),
        Dropout = parsed.GetValue(_dropout),
        Targets = parsed.GetRequiredValue(_targets).Split(',', StringSplitOptions.TrimEntries),
        ModulesToSave = parsed.GetValue(_saved)?.Split(',', StringSplitOptions.TrimEntries),
        RsLora = parsed.GetValue(_rsLora),
        Dora = parsed.GetValue(_dora),
        Start = parsed.GetRequiredValue(_start),
    };
}

/// <summary>What trains, as a command line says it.</summary>
internal sealed record AdapterSettings
{
    private static readonly string[] Starts = [LoraConfig.DefaultInit, "gaussian", "olora", "pissa"];

    public bool Full { get; init; }
    public string? Initial { get; init; }
    public string? ConfigFile { get; init; }
    public IReadOnlyList<string> Given { get; init; } = [];
    public required int Rank { get; init; }
    public required double Alpha { get; init; }
    public double Dropout { get; init; }
    public required string[] Targets { get; init; }
    public string[]? ModulesToSave { get; init; }
    public bool RsLora { get; init; }
    public bool Dora { get; init; }
    public string Start { get; init; } = LoraConfig.DefaultInit;

    /// <summary>Adds what is wrong with the values.</summary>
    public void Validate(OptionFaults faults)
    {
        if (Initial is not null)
            faults.Folder("--init", Initial);
        if (ConfigFile is not null)
            faults.Demand(File.Exists(ConfigFile), "--adapter-config", ConfigFile, "an existing adapter_config.json");
        string[] sources = [.. new[] { Full ? "--full" : null, Initial is null ? null : "--init", ConfigFile is null ? null : "--adapter-config" }.OfType<string>()];
        foreach (string second in sources.Skip(1).Concat(sources.Length == 0 ? [] : Given))
            faults.Demand(false, second, "given", $"only one of {sources[0]} and {second}");
        faults.Demand(Rank >= 1, "--rank", Rank, "1 or more");
        faults.Demand(double.IsFinite(Alpha) && Alpha > 0, "--alpha", Alpha, "a positive number");
        faults.Demand(Dropout is >= 0 and < 1, "--dropout", Dropout, "0 or more, below 1");
        faults.Demand(Targets.Length > 0 && !Targets.Contains(""), "--target-modules", string.Join(',', Targets), "a list of names");
        faults.Demand(ModulesToSave?.Contains("") != true, "--modules-to-save", ModulesToSave is null ? "" : string.Join(',', ModulesToSave), "a list of names");
        faults.Demand(Starts.Contains(Start, StringComparer.Ordinal), "--lora-init", Start, $"one of {string.Join(", ", Starts)}");
    }

    /// <summary>The adapter's settings for a task.</summary>
    /// <exception cref="PeftFormatException">The file is none.</exception>
    public PeftConfig Config(ITrainingTask task, PretrainedModel model, string modelFolder)
    {
        PeftConfig config = ConfigFile is { } file ? PeftConfig.Parse(File.ReadAllBytes(file), file) : Lora();
        return config with
        {
            TaskType = config.TaskType ?? task.PeftType,
            BaseModelNameOrPath = config.BaseModelNameOrPath ?? modelFolder,
            ModulesToSave = ModulesToSave ?? config.ModulesToSave ?? Head(model),
        };
    }

    private LoraConfig Lora() => new()
    {
        Rank = Rank,
        Alpha = Alpha,
        Dropout = Dropout,
        TargetModules = Targets is [ModuleSelector.AllLinearName] ? ModuleSelector.AllLinear : ModuleSelector.OfNames(Targets),
        UseRsLora = RsLora,
        UseDora = Dora,
        InitLoraWeights = Start,
    };

    /// <summary>A classifier's head, and whatever else of the model is new: without it the adapter could not be used elsewhere.</summary>
    private static string[]? Head(PretrainedModel model)
    {
        IEnumerable<string> fresh = model.NewParameters.Select(name => name[..Math.Max(0, name.LastIndexOf('.'))]);
        string[] heads = model.Config.IsClassifier ? [.. model.Head.Modules.Select(module => module.Name)] : [];
        string[] saved = [.. heads, .. fresh.Distinct().Where(module => !heads.Any(head => module == head || module.StartsWith(head + ".", StringComparison.Ordinal))).Order(StringComparer.Ordinal)];
        return saved.Length == 0 ? null : saved;
    }
}
