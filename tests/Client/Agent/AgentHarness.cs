using Federated.Client.Agent;
using Federated.Client.Training;
using Federated.Client.Training.Objectives;
using Federated.Shared.Protocol;

namespace Federated.Client.Tests.Agent;

/// <summary>An agent in this process with a fake coordinator, fake training and a virtual clock.</summary>
internal sealed class AgentHarness : IAsyncDisposable
{
    private readonly TemporaryFolder _folder = new();
    private CancellationTokenSource _stop = new();

    private AgentHarness(FakeCoordinator coordinator) => Coordinator = coordinator;

    public FakeCoordinator Coordinator { get; }

    public FakeRound Round { get; private set; } = new();

    public DelayClock Clock { get; } = new();

    public CapturedLog Log { get; } = new();

    public Task Running { get; private set; } = Task.CompletedTask;

    public string State => Path.Combine(_folder.Path, "state");

    public string TokenFile => Path.Combine(_folder.Path, "token");

    public static async Task<AgentHarness> StartAsync(Action<FakeCoordinator>? prepare = null, bool start = true, bool exitWhenFinished = false, ILocalRound? local = null)
    {
        FakeCoordinator coordinator = await FakeCoordinator.StartAsync();
        prepare?.Invoke(coordinator);
        AgentHarness harness = new(coordinator);
        await File.WriteAllTextAsync(harness.TokenFile, "token-1\n");
        if (start)
            harness.Run(exitWhenFinished, local);
        return harness;
    }

    /// <summary>Starts the agent.</summary>
    public void Run(bool exitWhenFinished = false, ILocalRound? local = null)
    {
        AgentOptions options = new()
        {
            Coordinator = Coordinator.Address,
            TokenFile = TokenFile,
            Data = "unused",
            State = State,
            ExitWhenFinished = exitWhenFinished,
        };
        Running = Task.Run(() => new AgentLoop(options, local ?? Round, Clock, Log).RunAsync(_stop.Token));
    }

    /// <summary>The next stream, which began with 'ready'.</summary>
    public async Task<FakeStream> StreamAsync()
    {
        Task<FakeStream> opening = Coordinator.Streams.Reader.NextAsync();
        await Clock.PassDelaysUntilAsync(Task.WhenAny(opening, Running));
        if (!opening.IsCompleted)
            await Running;
        FakeStream stream = await opening;
        Assert.Equal(AgentEvent.EventOneofCase.Ready, (await EventAsync(AgentEvent.EventOneofCase.Ready)).EventCase);
        return stream;
    }

    /// <summary>The next event of a kind.</summary>
    public async Task<AgentEvent> EventAsync(AgentEvent.EventOneofCase kind)
    {
        while (true)
        {
            AgentEvent next = await Coordinator.Events.Reader.NextAsync();
            if (next.EventCase == kind)
                return next;
        }
    }

    public RoundPlan Plan(int round = 1, int attempt = 1, string run = "mail", ulong seed = 7) => new()
    {
        Run = run,
        Round = round,
        Attempt = attempt,
        Method = "fedit",
        Model = [new() { Name = "config.json", Content = Coordinator.Offer([1, 2, 3]) }, new() { Name = "model.safetensors", Content = Coordinator.Offer(new byte[700]) }],
        Global = Coordinator.Offer([.. BitConverter.GetBytes(round), 9]),
        Adapter = new() { Rank = 2, Alpha = 4, Dropout = 0, TargetModules = ["q_proj"], ModulesToSave = ["score"] },
        Training = new()
        {
            Objective = KnownObjectives.Classification,
            Labels = ["ham", "spam"],
            Steps = 3,
            StepOffset = 0,
            TotalSteps = 6,
            WarmupSteps = 1,
            Schedule = LearningRateSchedules.Cosine,
            LearningRate = 0.01,
            BatchSize = 4,
            MaxTokens = 32,
            WeightDecay = 0,
            ClipNorm = 1,
            HoldoutShare = 0.25,
        },
        Seed = seed,
        NormCap = 0,
    };

    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Running.WaitAsync(Patience.Limit));
    }

    /// <summary>Ends the agent and starts another one on the same folder.</summary>
    public async Task RestartAsync()
    {
        await StopAsync();
        _stop.Dispose();
        _stop = new();
        Round = new();
        Run();
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Running.WaitAsync(Patience.Limit).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await Coordinator.DisposeAsync();
        _stop.Dispose();
        _folder.Dispose();
    }
}
