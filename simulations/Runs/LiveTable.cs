using System.Globalization;
using Federated.Shared.Protocol;
using Spectre.Console;

namespace Federated.Simulations.Runs;

/// <summary>Shows the runs while they run: a live table on a terminal, a line a round elsewhere.</summary>
public sealed class LiveTable(IAnsiConsole console)
{
    private readonly HashSet<(string Run, uint Round)> _said = [];
    private CoordinatorSnapshot _latest = new();

    /// <summary>Takes the newest snapshot.</summary>
    public void Show(CoordinatorSnapshot snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        Volatile.Write(ref _latest, snapshot);
        if (console.Profile.Capabilities.Interactive)
            return;

        foreach (RunSnapshot run in snapshot.Runs)
        {
            foreach (RoundSummary round in run.History.Where(round => _said.Add((run.Run, round.Round))))
            {
                console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                    $"{run.Run}: round {round.Round}/{run.Rounds}, {round.Sites.Count} sites, loss {round.TrainingLoss:0.000}, hold-out accuracy {100 * round.HoldoutAccuracy:0.0} %, {Bytes(round.Sites.Sum(s => s.BytesReceived))} up, {Bytes(round.Sites.Sum(s => s.BytesSent))} down, {round.Seconds:0.0} s"));
            }
        }
    }

    /// <summary>Shows the table until <paramref name="work"/> ends.</summary>
    public async Task<T> WhileAsync<T>(Task<T> work, TimeProvider clock, CancellationToken cancellation)
    {
        if (!console.Profile.Capabilities.Interactive)
            return await work;

        await console.Live(Draw()).StartAsync(async live =>
        {
            using PeriodicTimer frame = new(TimeSpan.FromMilliseconds(250), clock);
            while (!work.IsCompleted && await frame.WaitForNextTickAsync(cancellation))
                live.UpdateTarget(Draw());
            live.UpdateTarget(Draw());
        });
        return await work;
    }

    private Table Draw()
    {
        Table table = new Table().Border(TableBorder.Rounded)
            .AddColumns("run", "method", "round", "agents", "loss", "hold-out accuracy", "up", "down");
        foreach (RunSnapshot run in Volatile.Read(ref _latest).Runs)
        {
            RoundSummary? last = run.History.LastOrDefault();
            table.AddRow(
                Markup.Escape(run.Run), Markup.Escape(run.Method), State(run), Markup.Escape(Agents(run)),
                last is null ? "" : last.TrainingLoss.ToString("0.000", CultureInfo.InvariantCulture),
                last is null ? "" : (100 * last.HoldoutAccuracy).ToString("0.0", CultureInfo.InvariantCulture) + " %",
                Bytes(run.History.SelectMany(round => round.Sites).Sum(site => site.BytesReceived)),
                Bytes(run.History.SelectMany(round => round.Sites).Sum(site => site.BytesSent)));
        }

        return table;
    }

    private static string State(RunSnapshot run) => run.Phase switch
    {
        RunPhase.Waiting => "waiting",
        RunPhase.Finished => $"[green]{run.Rounds}/{run.Rounds}[/]",
        RunPhase.Failed => "[red]failed[/]",
        _ => $"{run.Round}/{run.Rounds}",
    };

    private static string Agents(RunSnapshot run) => string.Join("  ", run.Sites.Select(site => site.Phase switch
    {
        SitePhase.Training => $"{site.Site} {(site.Steps == 0 ? 0 : 100 * site.Step / site.Steps)} %",
        SitePhase.Accepted => $"{site.Site} done",
        SitePhase.Dropped => $"{site.Site} dropped",
        SitePhase.Away => $"{site.Site} away",
        _ => site.Site,
    }));

    private static string Bytes(long bytes) => bytes switch
    {
        < 1_000_000 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e3:0.0} kB"),
        < 1_000_000_000 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e6:0.0} MB"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e9:0.00} GB"),
    };
}
