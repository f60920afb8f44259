using Federated.Shared.Protocol;

namespace Federated.Coordinator.Endpoints;

/// <summary>Whether a manifest makes sense by itself. A decoded record may lack what its type promises.</summary>
internal static class ManifestCheck
{
    /// <summary>Refuses a manifest that makes no sense.</summary>
    /// <exception cref="FederatedException"><see cref="RejectReason.BadName"/> or <see cref="RejectReason.Malformed"/>.</exception>
    public static void Demand(UpdateManifest manifest)
    {
        if (!Names.IsValid(manifest.Run) || !Names.IsValid(manifest.Site))
            throw new FederatedException(RejectReason.BadName, $"The manifest's run or site is no name; a name is {Names.Rule}.");
        if (manifest.Content is not { Sha256.Length: ContentHash.Size, Length: > 0 })
            throw Malformed("has no content with a SHA-256 of 32 bytes and a length of at least 1");
        if (manifest.Round < 1 || manifest.Attempt < 1)
            throw Malformed($"has round {manifest.Round}, attempt {manifest.Attempt}; both are counted from 1");
        if (manifest.Metrics is not { } metrics)
            throw Malformed("has no metrics");
        if (!double.IsFinite(metrics.TrainingLoss) || !double.IsFinite(metrics.HoldoutLoss) || metrics.HoldoutAccuracy is not (>= 0 and <= 1)
            || metrics.HoldoutExamples < 0 || metrics.Tokens < 0 || !double.IsFinite(metrics.Seconds) || metrics.Seconds < 0)
        {
            throw Malformed("has metrics out of range: losses are finite, accuracy is in [0, 1], counts and seconds are 0 or more");
        }
    }

    private static FederatedException Malformed(string what) =>
        new(RejectReason.Malformed, $"The manifest {what}. Agent and coordinator may be of different versions.");
}
