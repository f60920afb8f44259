using Federated.Coordinator.Store;
using Federated.Shared.Peft;
using Federated.Shared.Protocol;

namespace Federated.Coordinator.Rounds;

/// <summary>Writes a finished run's adapter as a Hugging Face PEFT folder, for people and other programs; the blobs stay the truth.</summary>
internal sealed class AdapterExporter(IDisk disk, BlobStore blobs, StateFolder state, ILogger<AdapterExporter> log)
{
    private const int BlockBytes = 1024 * 1024;

    /// <summary>Writes the folder of a run that succeeded, unless it is there. A failure is logged: it can be repeated by a restart.</summary>
    public void Export(RunState run)
    {
        if (run.Phase != RunPhase.Finished)
            return;

        string folder = state.Adapter(run.Definition.Run);
        string weights = Path.Combine(folder, AdapterFolder.WeightsFile);
        if (disk.Length(weights) == run.Global.Length)
            return;

        try
        {
            disk.CreateDirectory(folder);
            byte[] config = Config(run.Definition).ToJson();
            Replace(Path.Combine(folder, AdapterFolder.ConfigFile), target => target.Write(0, config));
            CopyTo(weights, new(run.Global.Sha256));
            disk.FlushDirectory(folder);
            log.LogInformation("run {Run}: the adapter is in {Folder}", run.Definition.Run, folder);
        }
        catch (IOException e) when (e is not FlushFailedException)
        {
            log.LogError("run {Run}: the adapter could not be written to {Folder}: {Error} Start the coordinator again to repeat it.", run.Definition.Run, folder, e.Message);
        }
    }

    private static LoraConfig Config(RunDefinition run) => new()
    {
        TaskType = run.Training.Labels.Count > 0 ? "SEQ_CLS" : "CAUSAL_LM",
        Rank = run.Adapter.Rank,
        Alpha = run.Adapter.Alpha,
        Dropout = run.Adapter.Dropout,
        TargetModules = ModuleSelector.OfNames(run.Adapter.TargetModules),
        ModulesToSave = run.Adapter.ModulesToSave.Count > 0 ? run.Adapter.ModulesToSave : null,
    };

    private void CopyTo(string path, ContentHash hash)
    {
        using IDiskFile source = blobs.Open(hash);
        Replace(path, target =>
        {
            byte[] block = new byte[BlockBytes];
            for (long at = 0; at < source.Length;)
            {
                int read = source.Read(at, block);
                target.Write(at, block.AsSpan(0, read));
                at += read;
            }
        });
    }

    private void Replace(string path, Action<IDiskFile> write)
    {
        string temporary = path + ".tmp";
        disk.Delete(temporary);
        using (IDiskFile target = disk.Create(temporary))
        {
            write(target);
            target.Flush();
        }

        disk.Rename(temporary, path);
    }
}
