using System.Threading.Channels;
using Federated.Client.Agent;
using Federated.Shared.Protocol;

namespace Federated.Client.Tests.Agent;

/// <summary>Training that starts, waits for the test, and writes the bytes it was given.</summary>
internal sealed class FakeRound : ILocalRound
{
    private readonly SemaphoreSlim _mayEnd = new(0);

    public long Examples => 40;

    /// <summary>Each training that began.</summary>
    public Channel<(RoundKey Key, string Site, Action<LocalProgress> Progress)> Started { get; } = Channel.CreateUnbounded<(RoundKey, string, Action<LocalProgress>)>();

    /// <summary>Each training that was cancelled.</summary>
    public Channel<RoundKey> Cancelled { get; } = Channel.CreateUnbounded<RoundKey>();

    /// <summary>What the update is, or what goes wrong.</summary>
    public Func<RoundPlan, byte[]> Result { get; set; } = plan => BitConverter.GetBytes(plan.Seed);

    /// <summary>Lets that many trainings end.</summary>
    public void Release(int count = 1) => _mayEnd.Release(count);

    public LocalRoundResult Train(
        RoundPlan plan, string site, RoundFiles files, string updatePath, Action<LocalProgress> progress, CancellationToken cancellation)
    {
        Started.Writer.TryWrite((RoundKey.Of(plan), site, progress));
        try
        {
            _mayEnd.Wait(cancellation);
        }
        catch (OperationCanceledException)
        {
            Cancelled.Writer.TryWrite(RoundKey.Of(plan));
            throw;
        }

        File.WriteAllBytes(updatePath, Result(plan));
        return new(Examples, new() { TrainingLoss = 0.5, HoldoutExamples = 0, HoldoutLoss = 0, HoldoutAccuracy = 0, Tokens = 1, Seconds = 1 });
    }
}
