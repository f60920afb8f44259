using Federated.EndToEnd.Tests.Support;
using Federated.Simulations.Processes;

namespace Federated.EndToEnd.Tests.Processes;

[Collection(TinyWorldCollection.Name)]
public sealed class RunnerSignalTests(TinyWorld world)
{
    private const int Interrupted = 130;

    [Theory]
    [InlineData(SystemProcesses.SigInt)]
    [InlineData(SystemProcesses.SigTerm)]
    public async Task Runner_AskedToStop_LeavesNoProcessBehind(int signal)
    {
        await using ProcessFleet fleet = new(world[$"signal-{signal}-logs"]);
        (FleetProcess runner, IReadOnlyList<int> children) = await StartAsync(fleet, $"signal-{signal}");

        SystemProcesses.Send(runner.Id, signal);

        Assert.Equal(Interrupted, await runner.Exited);
        Assert.DoesNotContain(children, SystemProcesses.IsAlive);
        Assert.Contains("every process that was started has ended", runner.Tail(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Runner_Killed_TakesItsProcessesAlong()
    {
        await using ProcessFleet fleet = new(world["killed-runner-logs"]);
        (FleetProcess runner, IReadOnlyList<int> children) = await StartAsync(fleet, "killed-runner");
        Task[] ends = [.. children.Select(SystemProcesses.EndOfAsync)];

        SystemProcesses.Send(runner.Id, SystemProcesses.SigKill);

        await Task.WhenAll(ends);
        Assert.DoesNotContain(children, SystemProcesses.IsAlive);
    }

    /// <summary>A runner in the middle of a run far too long to end by itself, with its coordinator and agents.</summary>
    private async Task<(FleetProcess Runner, IReadOnlyList<int> Children)> StartAsync(ProcessFleet fleet, string name)
    {
        FleetProcess runner = await Runner.StartAsync(fleet, world.WriteScenario(name, rounds: 100_000), world[name + "-out"]);
        await runner.LineAsync("fedit: round 1/", CancellationToken.None);
        IReadOnlyList<int> children = SystemProcesses.Children(runner.Id);
        Assert.Equal(1 + TinyWorld.MailboxNames.Length, children.Count);
        return (runner, children);
    }
}
