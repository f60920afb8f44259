using Federated.Shared.Protocol;

namespace Federated.Coordinator.Store;

/// <summary>The journal of decisions: append-only, one writer.</summary>
internal interface IJournal : IDisposable
{
    /// <summary>Adds records, all or none; they are durable when it returns.</summary>
    /// <exception cref="DiskFullException">No room; nothing was added, and a later try may succeed.</exception>
    /// <exception cref="FlushFailedException">The disk did not confirm it: the process must stop.</exception>
    void Append(params IReadOnlyList<IJournalRecord> records);

    /// <summary>All records in order.</summary>
    /// <exception cref="StoreCorruptException">A record is not what was written.</exception>
    /// <exception cref="StoreTooNewException">A record of a newer version.</exception>
    IEnumerable<IJournalRecord> ReadAll();

    /// <summary>The update that was accepted under a key, in this round or any before.</summary>
    /// <returns>Its content; null when there is none.</returns>
    ContentHash? FindUpdate(string run, int round, int attempt, string site);
}
