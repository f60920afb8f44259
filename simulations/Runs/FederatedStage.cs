using Federated.Shared.Protocol;
using Federated.Simulations.Processes;
using Federated.Simulations.Scenarios;
using Grpc.Core;
using Grpc.Net.Client;

namespace Federated.Simulations.Runs;

/// <summary>One coordinator process, an agent process for each mailbox, and all federated runs of a scenario between them.</summary>
public sealed class FederatedStage(Scenario scenario, SimulationFolder folder, ProcessFleet fleet, Action<CoordinatorSnapshot> show)
{
    private const string Listening = "listening on ";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    /// <summary>The adapter that round 1 of the first run started from; the same for all runs, which share seed and shape.</summary>
    public ContentHash InitialAdapter { get; private set; }

    /// <summary>Runs until every run has finished.</summary>
    /// <param name="mailboxes">Site name to its JSONL file.</param>
    /// <param name="cancellation">Stops waiting; the fleet stops the processes.</param>
    /// <returns>The coordinator's last word on every run.</returns>
    /// <exception cref="ProcessFailedException">A process ended with an error.</exception>
    /// <exception cref="InvalidOperationException">A run failed.</exception>
    public async Task<CoordinatorSnapshot> RunAsync(IReadOnlyDictionary<string, string> mailboxes, CancellationToken cancellation)
    {
        string[] sites = [.. mailboxes.Keys.Order(StringComparer.Ordinal)];
        string tokens = folder.File("sites.tokens");
        foreach (string site in sites)
            await IssueTokenAsync(site, tokens, cancellation);

        FleetProcess coordinator = await fleet.StartAsync("coordinator", Programs.Coordinator,
        [
            "serve", "--state", folder.Folder("coordinator"), "--listen", "http://127.0.0.1:0", "--tokens", tokens,
            .. RunFiles(sites).SelectMany(file => (string[])["--run", file]),
        ]);
        string line = await coordinator.LineAsync(Listening, cancellation);
        Uri address = new(line[(line.IndexOf(Listening, StringComparison.Ordinal) + Listening.Length)..].Trim());

        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        TaskCompletionSource watched = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Task<CoordinatorSnapshot> watching = WatchAsync(address, watched, stop.Token);
        List<FleetProcess> agents = [];
        CoordinatorSnapshot end;
        try
        {
            // Agents come after the first snapshot: it shows the adapter before any round can replace it.
            await FirstFailureOrAsync(Task.WhenAny(watched.Task, watching), [coordinator], cancellation);
            foreach (string site in sites)
                agents.Add(await StartAgentAsync(site, address, mailboxes[site]));

            await FirstFailureOrAsync(watching, [coordinator, .. agents], cancellation);
            end = await watching;
        }
        catch (RpcException e)
        {
            // The stream breaks a moment before a dying coordinator is gone; its own last words say more than the stream's.
            await coordinator.StopAsync(Patience);
            await coordinator.SucceedAsync(cancellation);
            throw new InvalidOperationException($"The coordinator stopped reporting: {e.Status.Detail} Its log is {coordinator.LogPath}.", e);
        }
        finally
        {
            await stop.CancelAsync();
            await watching.ContinueWith(_ => { }, TaskScheduler.Default);
        }

        await Task.WhenAll(agents.Select(agent => agent.SucceedAsync(cancellation)));
        await coordinator.StopAsync(Patience);
        return end.Runs.FirstOrDefault(run => run.Phase == RunPhase.Failed) is { } failed
            ? throw new InvalidOperationException($"Run {failed.Run} failed in round {failed.Round}: {failed.Detail} The coordinator's log is {coordinator.LogPath}.")
            : end;
    }

    private IEnumerable<string> RunFiles(string[] sites)
    {
        string? before = null;
        foreach (string name in scenario.Methods.Keys)
        {
            yield return RunFile.Write(scenario, name, before, sites, folder.Folder("runs"));
            before = name;
        }
    }

    private async Task IssueTokenAsync(string site, string tokens, CancellationToken cancellation)
    {
        string token = folder.File(site + ".token");
        File.Delete(token);
        FleetProcess issue = await fleet.StartAsync($"token-{site}", Programs.Coordinator, ["token", "--site", site, "--tokens", tokens, "--out", token]);
        await issue.SucceedAsync(cancellation);
    }

    private Task<FleetProcess> StartAgentAsync(string site, Uri address, string data) => fleet.StartAsync(
        $"agent-{site}", Programs.Client,
        [
            "agent", "--coordinator", address.ToString(), "--token-file", folder.File(site + ".token"), "--data", data,
            "--state", folder.Folder(Path.Combine("agents", site)), "--threads", $"{scenario.Threads}", "--exit-when-finished",
        ],
        ThreadSettings.For(scenario.Threads));

    private async Task<CoordinatorSnapshot> WatchAsync(Uri address, TaskCompletionSource watched, CancellationToken cancellation)
    {
        using GrpcChannel channel = GrpcChannel.ForAddress(address, new()
        {
            HttpHandler = new SocketsHttpHandler { UseProxy = false },
            DisposeHttpClient = true,
            ThrowOperationCanceledOnCancellation = true,
        });
        using var call = new Operations.OperationsClient(channel).Watch(new(), cancellationToken: cancellation);
        while (await call.ResponseStream.MoveNext(cancellation))
        {
            CoordinatorSnapshot snapshot = call.ResponseStream.Current;
            show(snapshot);
            if (snapshot.Runs[0] is { History.Count: 0, AdapterSha256.Length: ContentHash.Size } first)
                InitialAdapter = new(first.AdapterSha256.Span);
            watched.TrySetResult();
            if (snapshot.Runs.All(run => run.Phase is RunPhase.Finished or RunPhase.Failed))
                return snapshot;
        }

        throw new InvalidOperationException("The coordinator stopped reporting before its runs had finished.");
    }

    /// <summary>Waits for <paramref name="work"/>, but throws as soon as a process that should go on has ended badly.</summary>
    private static async Task FirstFailureOrAsync(Task work, IReadOnlyList<FleetProcess> processes, CancellationToken cancellation)
    {
        List<FleetProcess> alive = [.. processes];
        while (!work.IsCompleted)
        {
            await Task.WhenAny([work, .. alive.Select(process => process.Exited)]).WaitAsync(cancellation);
            foreach (FleetProcess ended in alive.Where(process => process.Exited.IsCompleted).ToArray())
            {
                alive.Remove(ended);
                await ended.SucceedAsync(cancellation);
            }

            if (alive.Count == 0)
                return;
        }
    }
}
