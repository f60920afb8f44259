using Federated.Coordinator.Aggregation;
using Federated.Coordinator.Store;
using Federated.Shared.Protocol;
using Federated.Shared.Tensors;

namespace Federated.Coordinator.Rounds;

/// <summary>Folds the accepted updates of a round into the next global adapter, from blob to blob.</summary>
/// <remarks>Updates are memory-mapped and read tensor by tensor, so memory does not grow with their number.</remarks>
internal sealed class RoundAggregator(IAggregationRule rule, BlobStore blobs, IJournal journal, FailPoints failPoints)
{
    /// <summary>Folds the open round of <paramref name="state"/>; the result is durable as a blob and as a record when this returns.</summary>
    /// <exception cref="AggregationException">An update does not fit, or the result is not finite.</exception>
    /// <exception cref="IOException">Full disk, see <see cref="DiskErrors.IsFull"/>, or a failed flush.</exception>
    public AggregateWritten Fold(RunState state, CancellationToken cancellation)
    {
        OpenRound open = state.Open!;
        using BlobWriter writer = blobs.Begin(open.Plan.Global.Length);
        AggregationResult result = Fold(state, open, writer, cancellation);
        ContentHash hash = writer.Commit();
        AggregateWritten record = new()
        {
            Run = open.Plan.Run,
            Round = open.Plan.Round,
            Attempt = open.Plan.Attempt,
            Global = new() { Sha256 = hash.ToArray(), Length = writer.Length },
            RuleState = result.State,
            Diagnostics = [.. result.Diagnostics.OrderBy(d => d.Key, StringComparer.Ordinal).Select(d => new NamedNumber { Name = d.Key, Value = d.Value })],
        };
        try
        {
            journal.Append([record]);
            return record;
        }
        catch
        {
            blobs.Release(hash);
            throw;
        }
    }

    private AggregationResult Fold(RunState state, OpenRound open, BlobWriter writer, CancellationToken cancellation)
    {
        List<AggregationUpdate> updates = [];
        try
        {
            using SafetensorsFile global = Open(open.Plan.Global);
            foreach ((string site, UpdateAccepted update) in open.Accepted)
                updates.Add(new(site, update.Manifest.Examples, state.Definition.Scaling, Open(update.Manifest.Content)));

            AggregationRound round = new(open.Plan.Round, state.Definition.Scaling, global, updates, state.RuleState);
            using BlobStream output = new(writer, DieHalfway(open.Plan.Global.Length));
            return rule.Aggregate(round, output, cancellation);
        }
        finally
        {
            updates.ForEach(update => update.Tensors.Dispose());
        }
    }

    private Action<long> DieHalfway(long whole)
    {
        bool reached = false;
        return written =>
        {
            if (reached || written < whole / 2)
                return;

            reached = true;
            failPoints.Reach(FailPoints.AggregateHalf);
        };
    }

    private SafetensorsFile Open(BlobReference blob) => SafetensorsFile.Open(blobs.PathOf(new(blob.Sha256)));
}
