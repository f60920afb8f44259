using Federated.Shared.Protocol;

namespace Federated.Coordinator.Rounds;

/// <summary>Whether an update may count as the run stands: asked before its bytes are read, and again when they are durable.</summary>
internal static class Admission
{
    /// <summary>The verdict on an announced update; null when it may count.</summary>
    /// <remarks>An update under a key of an earlier round is <see cref="RejectReason.RoundClosed"/> or <see cref="RejectReason.WrongAttempt"/> here; the journal knows whether that key was accepted.</remarks>
    public static UpdateVerdict? Check(RunState state, UpdateManifest manifest)
    {
        RunDefinition run = state.Definition;
        if (!run.Sites.Contains(manifest.Site, StringComparer.Ordinal))
            return UpdateVerdict.Refused(RejectReason.NotInCohort, $"Run '{run.Run}' does not list site '{manifest.Site}'. Ask its operator to add the site.");

        if (state.Open is not { } open || !open.Is(manifest.Round, manifest.Attempt))
            return Stale(state, manifest);

        if (!open.Cohort.Contains(manifest.Site, StringComparer.Ordinal))
            return UpdateVerdict.Refused(RejectReason.NotInCohort, $"{Key(manifest)} did not draw site '{manifest.Site}'. Wait for a plan before training.");

        if (open.Accepted.TryGetValue(manifest.Site, out Store.UpdateAccepted? accepted))
        {
            return accepted.Manifest.Content.Sha256.AsSpan().SequenceEqual(manifest.Content.Sha256)
                ? UpdateVerdict.Known
                : Conflict(manifest);
        }

        return state.Phase == RunPhase.Training
            ? null
            : UpdateVerdict.Refused(RejectReason.RoundClosed, $"{Key(manifest)} is closed. Wait for the next plan.");
    }

    /// <summary>A second, different update under a key that is taken.</summary>
    public static UpdateVerdict Conflict(UpdateManifest manifest) => UpdateVerdict.Refused(RejectReason.ConflictingUpdate,
        $"Site '{manifest.Site}' has already sent a different update for {Key(manifest)}; the first one stands. If two agents use one token, stop one of them.");

    private static UpdateVerdict Stale(RunState state, UpdateManifest manifest)
    {
        int round = state.History.Count + 1;
        bool closed = state.Ended || manifest.Round < round;
        string where = state.Ended
            ? "the run is over"
            : state.Open is { } open ? $"open is round {open.Plan.Round}, attempt {open.Plan.Attempt}" : $"no round is open, the next is {round}";
        return UpdateVerdict.Refused(closed ? RejectReason.RoundClosed : RejectReason.WrongAttempt,
            $"{Key(manifest)} is not open: {where}. Wait for the next plan.");
    }

    private static string Key(UpdateManifest manifest) => $"Round {manifest.Round}, attempt {manifest.Attempt} of run '{manifest.Run}'";
}
