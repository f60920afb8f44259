using System.Collections.Concurrent;
using Federated.Coordinator.Store;
using Federated.Shared.Protocol;

namespace Federated.Coordinator.Endpoints;

/// <summary>What each site registered when it joined. Durable, so that an update that is resent after a restart is still judged by it.</summary>
internal sealed class SiteRegistrations(IJournal journal)
{
    private readonly ConcurrentDictionary<string, long> _examples = new(StringComparer.Ordinal);

    /// <summary>Takes over a registration from the journal.</summary>
    public void Restore(SiteJoined record) => _examples[record.Site] = record.TrainingExamples;

    /// <summary>Registers a site's training examples.</summary>
    /// <exception cref="FederatedException"><see cref="RejectReason.BadWeight"/>: fewer than one.</exception>
    public void Register(string site, long examples)
    {
        if (examples < 1)
            throw new FederatedException(RejectReason.BadWeight, $"Site '{site}' registers {examples} training examples; at least 1 is needed. Look at its data.");
        if (_examples.TryGetValue(site, out long known) && known == examples)
            return;

        journal.Append([new SiteJoined { Site = site, TrainingExamples = examples }]);
        _examples[site] = examples;
    }

    /// <summary>Checks that an update claims no more weight than its site registered.</summary>
    /// <exception cref="FederatedException"><see cref="RejectReason.BadWeight"/>.</exception>
    public void CheckWeight(UpdateManifest manifest)
    {
        long registered = _examples.GetValueOrDefault(manifest.Site);
        if (manifest.Examples < 1 || manifest.Examples > registered)
        {
            throw new FederatedException(RejectReason.BadWeight,
                $"The update claims {manifest.Examples} examples, site '{manifest.Site}' registered {registered}; 1 to that many may count. Join with the number of training examples.");
        }
    }
}
