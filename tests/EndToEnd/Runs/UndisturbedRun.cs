using Federated.EndToEnd.Tests.Support;

namespace Federated.EndToEnd.Tests.Runs;

/// <summary>The adapter that comes out when nothing happens: what every disturbed run must give too.</summary>
public sealed class UndisturbedRun(TinyWorld world) : IAsyncLifetime
{
    public TinyWorld World { get; } = world;

    public string Adapter { get; private set; } = "";

    public async Task InitializeAsync()
    {
        await using Federation federation = await Federation.CreateAsync(World, "undisturbed");
        var coordinator = await federation.StartCoordinatorAsync();
        Adapter = await federation.FinishAsync(coordinator, await federation.StartAgentsAsync());
    }

    public Task DisposeAsync() => Task.CompletedTask;
}
