using Federated.Shared.Protocol;

namespace Federated.Client.Agent;

/// <summary>Does an agent's part of a round on the private data: the seam between the agent and the training code.</summary>
public interface ILocalRound
{
    /// <summary>Examples in the local data; registered with the coordinator.</summary>
    long Examples { get; }

    /// <summary>Trains as the plan says and writes the update.</summary>
    /// <param name="plan">What to do.</param>
    /// <param name="site">Name of this site, part of its seed.</param>
    /// <param name="files">Paths of the plan's model files, by name, and of the global adapter.</param>
    /// <param name="updatePath">Where to write the update (safetensors, the tensors of the global adapter).</param>
    /// <param name="progress">Told after every step.</param>
    /// <param name="cancellation">Stops between two steps.</param>
    /// <returns>The weight of the update and its metrics.</returns>
    /// <remarks>Blocks: it runs on a thread of its own, since dispose scopes belong to a thread.</remarks>
    LocalRoundResult Train(
        RoundPlan plan, string site, RoundFiles files, string updatePath, Action<LocalProgress> progress, CancellationToken cancellation);
}

/// <summary>Where the blobs of a plan lie on this machine.</summary>
/// <param name="ModelFolder">Folder with the base model's files under their own names.</param>
/// <param name="GlobalAdapter">The global adapter.</param>
public sealed record RoundFiles(string ModelFolder, string GlobalAdapter);

/// <summary>What training gave.</summary>
/// <param name="Examples">Examples trained on: the weight.</param>
/// <param name="Metrics">How it went.</param>
public sealed record LocalRoundResult(long Examples, UpdateMetrics Metrics);

/// <summary>Where training stands.</summary>
/// <param name="Step">Steps done in this round.</param>
/// <param name="Steps">Steps to do in this round.</param>
/// <param name="Loss">Loss of the newest batch.</param>
/// <param name="TokensPerSecond">Speed so far.</param>
public sealed record LocalProgress(int Step, int Steps, double Loss, double TokensPerSecond);
