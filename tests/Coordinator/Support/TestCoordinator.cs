using Federated.Coordinator.Aggregation;
using Federated.Coordinator.Endpoints;
using Federated.Coordinator.Hosting;
using Federated.Coordinator.RunFiles;
using Federated.Coordinator.Rounds;
using Federated.Coordinator.Store;
using Federated.Tests.Support;
using Grpc.Net.Client;
using Microsoft.Extensions.DependencyInjection;

namespace Federated.Coordinator.Tests.Support;

/// <summary>A real coordinator in this process: Kestrel on loopback, a state folder of its own, time that stands still.</summary>
internal sealed class TestCoordinator : IAsyncDisposable
{
    private readonly List<IDisposable> _sites = [];
    private readonly CoordinatorHost _host;

    private TestCoordinator(CoordinatorHost host, TestWorld world)
    {
        _host = host;
        World = world;
    }

    public TestWorld World { get; }

    public Uri Address => _host.Addresses[0];

    public IServiceProvider Services => _host.Services;

    public static async Task<TestCoordinator> StartAsync(TestWorld world)
    {
        CoordinatorOptions options = new()
        {
            Runs = RunFile.ReadAll(world.Runs, AggregationRules.Default),
            State = world.State,
            Listen = [ListenAddress.Parse("http://127.0.0.1:0", [])!],
            Tokens = TokenFile.Read(world.TokenFile),
            ExitWhenFinished = world.ExitWhenFinished,
        };
        CoordinatorSeams seams = new() { Clock = world.RealTime ? TimeProvider.System : world.Clock, Disk = world.Disk, OpenJournal = world.OpenJournal };
        return new(await CoordinatorHost.StartAsync(options, seams), world);
    }

    /// <summary>A site with its token.</summary>
    public TestSite Site(string name) => Add(new TestSite(Address, name, World.Tokens[name]));

    /// <summary>A caller with any token, or none.</summary>
    public TestSite Stranger(string? token, string name = "stranger") => Add(new TestSite(Address, name, token));

    /// <summary>A channel without a token.</summary>
    public GrpcChannel Channel() => Add(new TestSite(Address, "", null)).Channel;

    /// <summary>Joined sites with open task streams.</summary>
    public async Task<(TestSite Site, TaskStream Work)[]> ArriveAsync(params string[] names)
    {
        List<(TestSite, TaskStream)> sites = [];
        foreach (string name in names)
        {
            TestSite site = Site(name);
            await site.JoinAsync();
            TaskStream work = await site.WorkAsync();
            _sites.Add(work);
            sites.Add((site, work));
        }

        return [.. sites];
    }

    public RunState State(string run = "mail") => Services.GetRequiredService<RunRegistry>().Get(run).State;

    /// <summary>Waits until a run's state is as wanted.</summary>
    public async Task<RunState> WaitForAsync(Func<RunState, bool> wanted, string run = "mail")
    {
        ChangeSignal changes = Services.GetRequiredService<ChangeSignal>();
        while (true)
        {
            Task next = changes.Next;
            RunState state = State(run);
            if (wanted(state))
                return state;
            await next.WaitAsync(TimeSpan.FromSeconds(30));
        }
    }

    /// <summary>Waits until the coordinator stops by itself.</summary>
    public Task<Exception?> WaitForEndAsync() => _host.WaitAsync().WaitAsync(TimeSpan.FromSeconds(30));

    public async ValueTask DisposeAsync()
    {
        foreach (IDisposable site in _sites)
            site.Dispose();
        await _host.DisposeAsync();
    }

    private TestSite Add(TestSite site)
    {
        _sites.Add(site);
        return site;
    }
}

/// <summary>What outlives a coordinator: its folder, its clock, its disk.</summary>
internal sealed class TestWorld : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public TestWorld(params string[] yaml)
    {
        TinyModel.Write(_folder["model"]);
        Runs = [.. (yaml.Length > 0 ? yaml : [TinyModel.Yaml("model")]).Select((text, i) => Write($"run{i}.yaml", text))];
        foreach (string site in (string[])["alpha", "beta", "gamma", "delta"])
            Tokens[site] = Federated.Coordinator.Endpoints.TokenFile.Add(TokenFile, new(site, CallerRole.Site));
        OperatorToken = Federated.Coordinator.Endpoints.TokenFile.Add(TokenFile, new("boss", CallerRole.Operator));
    }

    public TestClock Clock { get; } = new();

    /// <summary>True when time passes by itself: for what waits a moment between two answers.</summary>
    public bool RealTime { get; set; }

    public FaultDisk Disk { get; } = new();

    public Func<string, TimeProvider, IJournal> OpenJournal { get; set; } = SqliteJournal.Open;

    /// <summary>The journal of the coordinators started from now on, with its faults.</summary>
    public FaultJournal? Journal { get; private set; }

    /// <summary>From now on the journal fails when told to, and its appends stand in the disk's log.</summary>
    public void WatchJournal() => OpenJournal = (path, clock) => Journal = new FaultJournal(SqliteJournal.Open(path, clock), Disk);

    public bool ExitWhenFinished { get; set; }

    public IReadOnlyList<string> Runs { get; set; }

    public Dictionary<string, string> Tokens { get; } = [];

    public string OperatorToken { get; }

    public string Folder => _folder.Path;

    public string State => _folder["state"];

    public string Model => _folder["model"];

    public string TokenFile => _folder["sites.tokens"];

    /// <summary>Files in the blob store.</summary>
    public IReadOnlyList<string> Blobs => [.. Directory.GetFiles(Path.Combine(State, "blobs"), "*", SearchOption.AllDirectories)];

    /// <summary>Files of updates on their way.</summary>
    public IReadOnlyList<string> Temporaries => Directory.GetFiles(Path.Combine(State, "blobs", "tmp"));

    public string Write(string name, string text)
    {
        File.WriteAllText(_folder[name], text);
        return _folder[name];
    }

    public void Dispose() => _folder.Dispose();
}
