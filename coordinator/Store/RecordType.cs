namespace Federated.Coordinator.Store;

/// <summary>What a journal record says. The numbers are on disk: they never change their meaning.</summary>
/// <remarks>Numbers that are missing here belong to secure aggregation, privacy budgets and enrolment.</remarks>
internal enum RecordType
{
    /// <summary><see cref="Store.RunCreated"/></summary>
    RunCreated = 1,
    /// <summary><see cref="Store.RoundOpened"/></summary>
    RoundOpened = 2,
    /// <summary><see cref="Store.UpdateAccepted"/></summary>
    UpdateAccepted = 6,
    /// <summary><see cref="Store.AggregateWritten"/></summary>
    AggregateWritten = 10,
    /// <summary><see cref="Store.RoundCommitted"/></summary>
    RoundCommitted = 11,
    /// <summary><see cref="Store.RoundAborted"/></summary>
    RoundAborted = 12,
    /// <summary><see cref="Store.ConflictEvidence"/></summary>
    ConflictEvidence = 18,
    /// <summary><see cref="Store.CleanStop"/></summary>
    CleanStop = 19,
    /// <summary><see cref="Store.RunEnded"/></summary>
    RunEnded = 20,
    /// <summary><see cref="Store.SiteJoined"/></summary>
    SiteJoined = 21,
}
