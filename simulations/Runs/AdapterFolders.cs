using Federated.Shared.Peft;
using Federated.Shared.Protocol;
using Federated.Shared.Tensors;
using Federated.Simulations.Scenarios;

namespace Federated.Simulations.Runs;

/// <summary>Turns the coordinator's blobs into adapter folders in PEFT layout, which every tool can read.</summary>
public sealed class AdapterFolders(Scenario scenario, SimulationFolder folder)
{
    /// <summary>The adapter that round 1 started from.</summary>
    public string Initial(ContentHash blob) => Write(Path.Combine(folder.Folder("adapters"), "initial"), blob);

    /// <summary>The adapter that a round produced.</summary>
    public string OfRound(string run, RoundSummary round)
    {
        ArgumentNullException.ThrowIfNull(round);
        return Write(Path.Combine(folder.Folder("adapters"), $"{run}-round-{round.Round:000}"), new(round.AdapterSha256.Span));
    }

    /// <summary>A run's final adapter, under a name that people find.</summary>
    public string Final(RunSnapshot run)
    {
        ArgumentNullException.ThrowIfNull(run);
        return Write(folder.File("adapter"), new(run.AdapterSha256.Span));
    }

    private string Write(string target, ContentHash blob)
    {
        LoraConfig config = new()
        {
            TaskType = "SEQ_CLS",
            BaseModelNameOrPath = scenario.Model,
            Rank = scenario.Adapter.Rank,
            Alpha = scenario.Adapter.Alpha,
            Dropout = scenario.Adapter.Dropout,
            TargetModules = ModuleSelector.OfNames(scenario.Adapter.TargetModules),
            ModulesToSave = scenario.Adapter.ModulesToSave,
        };
        string hash = blob.ToString();
        AdapterFolder.Write(target, config, NamedTensors.FromFile(Path.Combine(folder.Root, "coordinator", "blobs", hash[..2], hash)));
        return target;
    }
}
