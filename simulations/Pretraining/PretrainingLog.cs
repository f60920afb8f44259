using System.Text.Json;

namespace Federated.Simulations.Pretraining;

/// <summary>What an interrupted pretraining left: the trainer's newest state, and the measurements so far.</summary>
public sealed class PretrainingLog
{
    private readonly string _curve;

    /// <summary>Opens or makes the folder.</summary>
    public PretrainingLog(string folder)
    {
        Directory.CreateDirectory(folder);
        StatePath = Path.Combine(folder, "state.safetensors");
        _curve = Path.Combine(folder, "curve.jsonl");
    }

    /// <summary>The trainer's state.</summary>
    public string StatePath { get; }

    /// <summary>Whether there is something to go on from.</summary>
    public bool HasCheckpoint => File.Exists(StatePath);

    /// <summary>Measurements up to <paramref name="step"/>; later ones, of steps that were lost, are dropped from the file.</summary>
    public IReadOnlyList<PretrainingPoint> Restore(int step)
    {
        PretrainingPoint[] points = File.Exists(_curve)
            ? [.. File.ReadLines(_curve).Select(Parse).OfType<PretrainingPoint>().Where(point => point.Step <= step)]
            : [];
        File.WriteAllLines(_curve, points.Select(point => JsonSerializer.Serialize(point)));
        return points;
    }

    /// <summary>Adds a measurement.</summary>
    public void Append(PretrainingPoint point) => File.AppendAllLines(_curve, [JsonSerializer.Serialize(point)]);

    /// <summary>A measurement; null for a line that was cut off when the process was killed.</summary>
    private static PretrainingPoint? Parse(string line)
    {
        try
        {
            return JsonSerializer.Deserialize<PretrainingPoint>(line);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
