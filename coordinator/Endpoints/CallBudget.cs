using System.Collections.Concurrent;
using Federated.Shared.Protocol;

namespace Federated.Coordinator.Endpoints;

/// <summary>A token bucket of calls for each site: 50 a second, 200 at once.</summary>
internal sealed class CallBudget(TimeProvider clock)
{
    private const double PerSecond = 50;
    private const double Burst = 200;

    private readonly ConcurrentDictionary<string, Bucket> _buckets = new(StringComparer.Ordinal);

    /// <summary>Counts one call of a site.</summary>
    /// <exception cref="FederatedException"><see cref="RejectReason.Busy"/>: too many.</exception>
    public void Spend(string site)
    {
        Bucket bucket = _buckets.GetOrAdd(site, static (_, now) => new(now), clock.GetTimestamp());
        lock (bucket)
        {
            long now = clock.GetTimestamp();
            bucket.Calls = Math.Min(Burst, bucket.Calls + (clock.GetElapsedTime(bucket.At, now).TotalSeconds * PerSecond));
            bucket.At = now;
            if (bucket.Calls < 1)
                throw new FederatedException(RejectReason.Busy, $"Site '{site}' makes more than {PerSecond} calls a second. Wait before the next one.");
            bucket.Calls--;
        }
    }

    private sealed class Bucket(long at)
    {
        public long At { get; set; } = at;

        public double Calls { get; set; } = Burst;
    }
}
