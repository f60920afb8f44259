using Federated.EndToEnd.Tests.Support;
using Federated.Simulations.Processes;
using Federated.Simulations.Runs;
using Federated.Tests.Support;

namespace Federated.EndToEnd.Tests.Processes;

public sealed class ProcessFleetTests
{
    [Fact]
    public async Task Process_ThatFails_IsNamedWithItsLogAndLastWords()
    {
        using TemporaryFolder folder = new();
        await using ProcessFleet fleet = new(folder["logs"]);
        FleetProcess process = await fleet.StartAsync("broken", Programs.Coordinator, ["token", "--tokens", folder["sites.tokens"]]);

        ProcessFailedException failure = await Assert.ThrowsAsync<ProcessFailedException>(() => process.SucceedAsync(CancellationToken.None));

        Assert.Equal(78, failure.ExitCode);
        Assert.Contains(Path.Combine(folder["logs"], "broken.log"), failure.Message, StringComparison.Ordinal);
        Assert.Contains("Give --site NAME", failure.Message, StringComparison.Ordinal);
        Assert.Contains("Give --site NAME", await File.ReadAllTextAsync(process.LogPath), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Line_ThatNeverComes_FailsWhenTheProcessEnds()
    {
        using TemporaryFolder folder = new();
        await using ProcessFleet fleet = new(folder["logs"]);
        FleetProcess process = await fleet.StartAsync("silent", Programs.Coordinator, ["--help"]);

        await Assert.ThrowsAsync<ProcessFailedException>(() => process.LineAsync("no program says this", CancellationToken.None));
    }

    [Fact]
    public async Task Line_PrintedBeforeItIsAskedFor_IsFound()
    {
        using TemporaryFolder folder = new();
        await using ProcessFleet fleet = new(folder["logs"]);
        FleetProcess process = await fleet.StartAsync("help", Programs.Coordinator, ["--version"]);
        Assert.Equal(0, await process.Exited);

        Assert.NotEqual("", await process.LineAsync(".", CancellationToken.None));
    }

    [Fact]
    public async Task Dispose_WhileProcessesAreStarted_LeavesNone()
    {
        using TemporaryFolder folder = new();
        ProcessFleet fleet = new(folder["logs"]);
        // Not waited for: the fleet is disposed while they are on their way.
        Task<FleetProcess>[] starts = [.. Enumerable.Range(0, 4).Select(i => fleet.StartAsync($"p{i}", Programs.Client, ["--help"]))];
        await fleet.DisposeAsync();

        foreach (Task<FleetProcess> start in starts)
            Assert.False(SystemProcesses.IsAlive((await start).Id));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => fleet.StartAsync("late", Programs.Client, ["--help"]));
    }
}
