using System.Globalization;
using Federated.Shared.Protocol;
using Federated.Simulations.Processes;
using Federated.Simulations.Runs;
using Federated.Simulations.Scenarios;

namespace Federated.EndToEnd.Tests.Support;

/// <summary>A coordinator and its agents as bare processes, which a test starts, kills and starts again as it likes.</summary>
internal sealed class Federation : IAsyncDisposable
{
    private const string Listening = "listening on ";

    private readonly string _root;
    private readonly Scenario _scenario;
    private readonly Mailboxes _mailboxes;
    private readonly string _run;
    private readonly ProcessFleet _fleet;
    private readonly Dictionary<string, int> _starts = [];
    private string _address = "http://127.0.0.1:0";

    private Federation(TinyWorld world, string name)
    {
        _root = Directory.CreateDirectory(world[name]).FullName;
        _scenario = world.ReadScenario(name + "-scenario");
        _mailboxes = Mailboxes.Write(_scenario, Path.Combine(_root, "data"));
        _run = RunFile.Write(_scenario, RunName, after: null, TinyWorld.MailboxNames, _root);
        _fleet = new(Path.Combine(_root, "logs"));
    }

    public static string RunName => "lora_fair";

    public static async Task<Federation> CreateAsync(TinyWorld world, string name)
    {
        Federation federation = new(world, name);
        foreach (string site in TinyWorld.MailboxNames)
        {
            FleetProcess token = await federation.StartAsync($"token-{site}", Programs.Coordinator,
                ["token", "--site", site, "--tokens", federation.At("sites.tokens"), "--out", federation.At(site + ".token")]);
            await token.SucceedAsync(CancellationToken.None);
        }

        return federation;
    }

    /// <summary>Starts the coordinator on its state; again on the port that it had.</summary>
    public async Task<FleetProcess> StartCoordinatorAsync(string? failPoint = null)
    {
        FleetProcess coordinator = await StartAsync("coordinator", Programs.Coordinator,
            ["serve", "--state", At("state"), "--tokens", At("sites.tokens"), "--listen", _address, "--run", _run, "--exit-when-finished"],
            failPoint is null ? null : new Dictionary<string, string> { ["FEDERATED_FAILPOINT"] = failPoint });
        string line = await coordinator.LineAsync(Listening, CancellationToken.None);
        _address = line[(line.IndexOf(Listening, StringComparison.Ordinal) + Listening.Length)..].Trim();
        return coordinator;
    }

    public Task<FleetProcess> StartAgentAsync(string site) => StartAsync($"agent-{site}", Programs.Client,
        [
            "agent", "--coordinator", _address, "--token-file", At(site + ".token"), "--data", _mailboxes.Files[site],
            "--state", At(site), "--threads", _scenario.Threads.ToString(CultureInfo.InvariantCulture), "--exit-when-finished",
        ],
        ThreadSettings.For(_scenario.Threads));

    public async Task<FleetProcess[]> StartAgentsAsync() => await Task.WhenAll(TinyWorld.MailboxNames.Select(StartAgentAsync));

    /// <summary>Waits for everybody's good end; the hash of the adapter that came out.</summary>
    public async Task<string> FinishAsync(FleetProcess coordinator, params FleetProcess[] agents)
    {
        await coordinator.SucceedAsync(CancellationToken.None);
        await Task.WhenAll(agents.Select(agent => agent.SucceedAsync(CancellationToken.None)));
        using FileStream adapter = File.OpenRead(Path.Combine(At("state"), "adapters", RunName, "adapter_model.safetensors"));
        return ContentHash.Of(adapter).ToString();
    }

    public ValueTask DisposeAsync() => _fleet.DisposeAsync();

    private Task<FleetProcess> StartAsync(string name, string program, IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string>? environment = null)
    {
        // Each start has a log of its own: what the first one said is not lost when it is killed.
        int start = _starts[name] = _starts.GetValueOrDefault(name) + 1;
        return _fleet.StartAsync($"{name}-{start}", program, arguments, environment);
    }

    private string At(string name) => Path.Combine(_root, name);
}
