using System.Security.Cryptography;
using System.Text.Json;
using Federated.Client.Models;
using Federated.Client.Training;

namespace Federated.Client.Commands;

/// <summary>Where an interrupted <c>client train</c> stopped: the folder <c>OUT.checkpoint</c> beside its result.</summary>
/// <remarks>
/// <c>run.json</c> holds what decides the result, the data's SHA-256 among it: a run goes on only from one that would have given the same.
/// It then does so bit by bit, since the trainer's state is whole and the batches follow from seed and step.
/// </remarks>
internal sealed class TrainCheckpoint
{
    private const int LargestFile = 1 << 20;

    private readonly string _folder;
    private readonly SortedDictionary<string, string> _identity;
    private readonly int _every;

    public TrainCheckpoint(TrainSettings settings)
    {
        _folder = settings.Output.TrimEnd('/', '\\') + ".checkpoint";
        _every = settings.CheckpointEvery;
        _identity = new(settings.Identity().ToDictionary(entry => entry.Option, entry => entry.Value), StringComparer.Ordinal);
        if (_every > 0 || File.Exists(State))
        {
            _identity["--data"] = Digest(settings.Task.Data);
            if (settings.Adapter.ConfigFile is { } config)
                _identity["--adapter-config"] = Digest(config);
        }
    }

    private string State => Path.Combine(_folder, "state.safetensors");

    private string Run => Path.Combine(_folder, "run.json");

    /// <summary>Goes on from the newest checkpoint, if there is one.</summary>
    /// <exception cref="InvalidDataException">It is of another run; the options that differ are named.</exception>
    public void Restore(LocalTrainer trainer)
    {
        if (!File.Exists(State))
            return;

        string[] other = [.. Difference()];
        if (other.Length > 0)
            throw new InvalidDataException($"{_folder} is of a run with other values of {string.Join(", ", other)}; go on with those, delete the folder, or choose another --out.");
        trainer.Load(State);
    }

    /// <summary>Keeps the state if the step is one after which it is to be kept.</summary>
    public void AfterStep(LocalTrainer trainer)
    {
        if (_every > 0 && trainer.StepsDone % _every == 0)
            Save(trainer);
    }

    /// <summary>Keeps the state of a run that was interrupted.</summary>
    /// <returns>Whether checkpoints are kept at all.</returns>
    public bool Interrupted(LocalTrainer trainer)
    {
        if (_every > 0)
            Save(trainer);
        return _every > 0;
    }

    /// <summary>Deletes the checkpoint of a run whose result is there.</summary>
    public void Finish()
    {
        if (File.Exists(State))
            Directory.Delete(_folder, recursive: true);
    }

    private void Save(LocalTrainer trainer)
    {
        Directory.CreateDirectory(_folder);
        CheckpointWriter.Replace(Run, stream => JsonSerializer.Serialize(stream, _identity, CommandJson.Default.SortedDictionaryStringString));
        trainer.Save(State);
    }

    private IEnumerable<string> Difference()
    {
        SortedDictionary<string, string>? stored = null;
        try
        {
            if (new FileInfo(Run) is { Exists: true, Length: <= LargestFile })
                stored = JsonSerializer.Deserialize(File.ReadAllBytes(Run), CommandJson.Default.SortedDictionaryStringString);
        }
        catch (JsonException)
        {
            // Answered like a file that is not there: the state cannot be told to be this run's.
        }

        return stored is null
            ? [$"everything ({Path.GetFileName(Run)} is missing or damaged)"]
            : _identity.Keys.Union(stored.Keys).Where(key => _identity.GetValueOrDefault(key) != stored.GetValueOrDefault(key)).Order(StringComparer.Ordinal);
    }

    private static string Digest(string path)
    {
        using FileStream file = File.OpenRead(path);
        return Convert.ToHexStringLower(SHA256.HashData(file));
    }
}
