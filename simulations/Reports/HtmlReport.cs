using System.Globalization;

namespace Federated.Simulations.Reports;

/// <summary>The report of a simulation: one HTML file that needs nothing else.</summary>
public static class HtmlReport
{
    private const string Style =
        """
        body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 62rem; padding: 0 1rem; color: #1c2430; background: #fff; }
        h1 { font-size: 1.6rem; margin-bottom: .2rem; } h2 { font-size: 1.15rem; margin-top: 2rem; } .note { color: #5a6675; }
        table { border-collapse: collapse; margin: .6rem 0; } th, td { padding: .3rem .9rem .3rem 0; text-align: right; border-bottom: 1px solid #e3e8ee; }
        th:first-child, td:first-child { text-align: left; } .charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(26rem, 1fr)); gap: 1rem; }
        .chart { width: 100%; height: auto; } .chart .title { font-weight: 600; font-size: 14px; fill: #1c2430; }
        .chart .tick { font-size: 11px; fill: #5a6675; } .chart .grid { stroke: #e3e8ee; }
        """;

    /// <summary>What the rules' diagnostics mean: T is the mean of the sites' products, A and B are the means of their factors, B' is the corrected one.</summary>
    private static readonly Dictionary<string, string> Diagnostics = new(StringComparer.Ordinal)
    {
        ["ideal_norm"] = "ideal ‖T‖",
        ["bias_norm"] = "averaged ‖T − B A‖",
        ["residual_norm"] = "corrected ‖T − B' A‖",
    };

    /// <summary>The whole document.</summary>
    public static string Write(Summary summary)
    {
        ArgumentNullException.ThrowIfNull(summary);
        return $"""
            <!doctype html>
            <html lang="en"><head><meta charset="utf-8"><title>{Html.Text(summary.Scenario)}: federated fine-tuning report</title>
            <meta name="viewport" content="width=device-width, initial-scale=1"><style>{Style}</style></head><body>
            <h1>{Html.Text(summary.Scenario)}</h1>
            <p class="note">{summary.Mailboxes.Count} mailboxes, {summary.StepsPerSite} optimiser steps each, seed {summary.Seed}, common test set of {summary.TestExamples} examples that no mailbox sees.</p>
            <h2>Accuracy on the common test set</h2>
            {Results(summary)}
            <div class="charts">
            {string.Join('\n', Charts(summary))}
            </div>
            <h2>Mailboxes</h2>
            {Mailboxes(summary)}
            <h2>Bytes on the wire per client and round</h2>
            <p class="note">Measured on the coordinator's sockets: framing and headers of everything included. Round 1 carries the base model down.</p>
            {Traffic(summary)}
            <h2>Seconds</h2>
            {Html.Table(["stage", "seconds"], summary.Seconds.Select(stage => (string[])[stage.Key, Number(stage.Value, "0.0")]))}
            </body></html>
            """;
    }

    /// <summary>The comparison, a row a method, best last; also what the console prints.</summary>
    public static IEnumerable<(string Method, Score Score)> Rows(Summary summary)
    {
        ArgumentNullException.ThrowIfNull(summary);
        if (summary.Base is { } untrained)
            yield return ("base (untrained head)", untrained);
        if (summary.Local is { } local)
            yield return ("local (mean of mailboxes)", local);
        foreach ((string name, FederatedScore score) in summary.Federated)
            yield return ($"{name} (federated)", score);
        if (summary.Centralised is { } centralised)
            yield return ("centralised", centralised);
    }

    private static string Results(Summary summary) => Html.Table(
        ["method", "accuracy", "F1", "loss"],
        Rows(summary).Select(row => (string[])[row.Method, Percent(row.Score.Accuracy), Percent(row.Score.F1), Number(row.Score.Loss, "0.000")]));

    private static IEnumerable<string> Charts(Summary summary)
    {
        if (summary.Federated.Count == 0)
            yield break;

        int last = summary.Federated.Values.Max(run => run.Rounds.Count);
        List<Series> accuracy =
            [.. summary.Federated.Select(run => new Series(run.Key,
                [.. run.Value.Rounds.Where(point => point.TestAccuracy is not null).Select(point => ((double)point.Round, 100 * point.TestAccuracy!.Value))]))];
        if (summary.Local is { } local)
            accuracy.Add(new("local, mean", [(1, 100 * local.MeanAccuracy), (last, 100 * local.MeanAccuracy)], Dashed: true));
        if (summary.Centralised is { } centralised)
            accuracy.Add(new("centralised", [(1, 100 * centralised.Accuracy), (last, 100 * centralised.Accuracy)], Dashed: true));
        if (accuracy.All(line => line.Points.Count > 0))
            yield return LineChart.Draw("Test accuracy, %", "round", accuracy);

        yield return LineChart.Draw("Training loss", "round", Lines(summary, point => point.TrainingLoss));
        yield return LineChart.Draw("Hold-out accuracy of the starting adapter, %", "round", Lines(summary, point => 100 * point.HoldoutAccuracy));
        foreach ((string name, FederatedScore run) in summary.Federated)
        {
            Series[] lines = [.. run.Rounds.SelectMany(point => point.Diagnostics.Keys).Distinct().Where(key => !key.Contains('/', StringComparison.Ordinal)).Order(StringComparer.Ordinal)
                .Select(key => new Series(
                    Diagnostics.GetValueOrDefault(key, key),
                    [.. run.Rounds.Where(point => point.Diagnostics.ContainsKey(key)).Select(point => ((double)point.Round, point.Diagnostics[key]))]))];
            if (lines.Length > 0)
                yield return LineChart.Draw($"{name}: norms over all layers", "round", lines);
        }
    }

    private static Series[] Lines(Summary summary, Func<RoundPoint, double> value) =>
        [.. summary.Federated.Select(run => new Series(run.Key, [.. run.Value.Rounds.Select(point => ((double)point.Round, value(point)))]))];

    private static string Mailboxes(Summary summary)
    {
        string[] labels = [.. summary.Mailboxes.Values.SelectMany(counts => counts.Keys).Distinct().Order(StringComparer.Ordinal)];
        return Html.Table(
            ["mailbox", .. labels, "accuracy alone", "F1 alone"],
            summary.Mailboxes.Select(box => (string[])
            [
                box.Key,
                .. labels.Select(label => box.Value.GetValueOrDefault(label).ToString(CultureInfo.InvariantCulture)),
                summary.Local is { } local ? Percent(local.Mailboxes[box.Key].Accuracy) : "",
                summary.Local is { } same ? Percent(same.Mailboxes[box.Key].F1) : "",
            ]));
    }

    private static string Traffic(Summary summary) => Html.Table(
        ["run", "round", "site", "examples", "bytes up", "bytes down"],
        from run in summary.Federated
        from point in run.Value.Rounds
        from site in point.Sites
        select (string[])[run.Key, Number(point.Round, "0"), site.Site, Number(site.Examples, "N0"), Number(site.BytesUp, "N0"), Number(site.BytesDown, "N0")]);

    private static string Percent(double share) => Number(100 * share, "0.0") + " %";

    private static string Number(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
