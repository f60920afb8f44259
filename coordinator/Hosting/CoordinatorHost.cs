using System.Text;
using Federated.Coordinator.Endpoints;
using Federated.Coordinator.Rounds;
using Federated.Coordinator.Store;
using Federated.Shared.Protocol;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;

namespace Federated.Coordinator.Hosting;

/// <summary>A running coordinator: takes the state folder, listens, recovers, serves, stops in order.</summary>
internal sealed class CoordinatorHost : IAsyncDisposable
{
    private static readonly TimeSpan TimeToSayGoodbye = TimeSpan.FromSeconds(10);

    private readonly CoordinatorOptions _options;
    private readonly StateFolder _folder;
    private readonly IJournal _journal;
    private readonly WebApplication _app;
    private Task _loops = Task.CompletedTask;
    private bool _recovered;

    private CoordinatorHost(CoordinatorOptions options, StateFolder folder, IJournal journal, WebApplication app)
    {
        _options = options;
        _folder = folder;
        _journal = journal;
        _app = app;
    }

    /// <summary>Bound addresses.</summary>
    public IReadOnlyList<Uri> Addresses =>
        [.. _app.Services.GetRequiredService<IServer>().Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.Select(address => new Uri(address))];

    /// <summary>Services, for tests.</summary>
    public IServiceProvider Services => _app.Services;

    /// <summary>Starts a coordinator; it takes calls when this returns.</summary>
    /// <exception cref="StateLockedException">Another coordinator has the state folder.</exception>
    /// <exception cref="StoreCorruptException">The state is damaged.</exception>
    /// <exception cref="StoreTooNewException">The state was written by a newer version.</exception>
    /// <exception cref="RunFiles.RunFileException">A run differs from what it began with.</exception>
    public static async Task<CoordinatorHost> StartAsync(CoordinatorOptions options, CoordinatorSeams seams, CancellationToken cancellation = default)
    {
        StateFolder folder = StateFolder.Take(seams.Disk, options.State);
        IJournal? journal = null;
        WebApplication? app = null;
        try
        {
            journal = seams.OpenJournal(folder.Journal, seams.Clock);
            seams.Disk.FlushDirectory(folder.Root);
            app = CoordinatorServices.Build(options, seams, folder, journal);
            CoordinatorHost host = new(options, folder, journal, app);
            await host.StartAsync(cancellation);
            return host;
        }
        catch
        {
            if (app is not null)
                await app.DisposeAsync();
            journal?.Dispose();
            folder.Dispose();
            throw;
        }
    }

    /// <summary>Waits until the coordinator is told to stop, or has nothing left to do.</summary>
    /// <returns>The error that ended it; null when it was told to stop.</returns>
    public async Task<Exception?> WaitAsync()
    {
        await _app.WaitForShutdownAsync();
        return _app.Services.GetRequiredService<FatalErrors>().First;
    }

    /// <summary>True when every run has ended well.</summary>
    public bool AllSucceeded => _app.Services.GetRequiredService<RunRegistry>().All.All(run => run.State.Phase == RunPhase.Finished);

    /// <summary>Stops in order and lets go of the state folder.</summary>
    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _loops;
        SayCleanStop();
        await _app.DisposeAsync();
        _journal.Dispose();
        _folder.Dispose();
    }

    private async Task StartAsync(CancellationToken cancellation)
    {
        IServiceProvider services = _app.Services;
        ILogger log = services.GetRequiredService<ILogger<CoordinatorHost>>();
        Readiness readiness = services.GetRequiredService<Readiness>();
        IHostApplicationLifetime lifetime = services.GetRequiredService<IHostApplicationLifetime>();
        lifetime.ApplicationStopping.Register(readiness.Stop);
        await _app.StartAsync(cancellation);
        if (!_folder.SetSpaceAside())
            log.LogWarning("the disk has no room for the reserve in {Folder}; free space on it", _folder.Root);

        foreach (string site in Sites(_options.Runs.Select(run => run.Definition)).Where(site => !_options.Tokens.Knows(site)))
            log.LogWarning("site {Site} is listed but has no token: it cannot join before 'coordinator token --site {Name}' and a restart", site, site);

        IReadOnlyList<RunLoop> runs = services.GetRequiredService<Recovery>().Start(_options.Runs);
        services.GetRequiredService<RunRegistry>().Set(runs);
        FatalErrors fatal = services.GetRequiredService<FatalErrors>();
        _loops = Task.WhenAll(runs.Select(run => RunAsync(run, fatal, lifetime.ApplicationStopping)));
        _recovered = true;
        readiness.Ready();
        foreach (Uri address in Addresses)
            log.LogInformation("listening on {Address}", address);
        PublishAddresses();
        if (_options.ExitWhenFinished)
            _ = StopWhenFinishedAsync(services, lifetime);
    }

    private static async Task RunAsync(RunLoop run, FatalErrors fatal, CancellationToken stopping)
    {
        try
        {
            await run.RunAsync(stopping);
        }
        catch (Exception e)
        {
            // A loop has no error that it may survive: what it can handle, it has handled.
            fatal.Stop(e);
        }
    }

    private void PublishAddresses()
    {
        if (_options.EndpointFile is not { } path)
            return;

        // Renamed into place: who waits for the file never reads half of it.
        string temporary = path + ".tmp";
        File.WriteAllLines(temporary, Addresses.Select(address => address.ToString()), Encoding.ASCII);
        File.Move(temporary, path, overwrite: true);
    }

    private static async Task StopWhenFinishedAsync(IServiceProvider services, IHostApplicationLifetime lifetime)
    {
        ChangeSignal changes = services.GetRequiredService<ChangeSignal>();
        RunRegistry runs = services.GetRequiredService<RunRegistry>();
        SiteHub hub = services.GetRequiredService<SiteHub>();
        TimeProvider clock = services.GetRequiredService<TimeProvider>();
        await Until(() => runs.All.All(run => run.State.Ended), lifetime.ApplicationStopping);

        // Every site is to hear how it ended, after a restart too; then it closes its stream.
        string[] sites = [.. Sites(runs.All.Select(run => run.State.Definition))];
        using CancellationTokenSource patience = new(TimeToSayGoodbye, clock);
        using CancellationTokenSource end = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, lifetime.ApplicationStopping);
        await Until(() => hub.Count == 0 && sites.All(hub.HasSeen), end.Token);
        lifetime.StopApplication();

        async Task Until(Func<bool> reached, CancellationToken cancellation)
        {
            while (!cancellation.IsCancellationRequested)
            {
                Task changed = changes.Next;
                if (reached())
                    return;
                await changed.WaitAsync(cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private static IEnumerable<string> Sites(IEnumerable<RunDefinition> runs) => runs.SelectMany(run => run.Sites).Distinct(StringComparer.Ordinal);

    private void SayCleanStop()
    {
        if (!_recovered || _app.Services.GetRequiredService<FatalErrors>().First is not null)
            return;

        CleanStop record = new() { Version = ProductVersion.Text };
        try
        {
            _journal.Append([record]);
        }
        catch (DiskFullException)
        {
            _folder.FreeSpaceAside();
            _journal.Append([record]);
        }
    }
}
