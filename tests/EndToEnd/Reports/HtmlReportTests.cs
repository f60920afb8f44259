using System.Text.Json;
using AngleSharp.Dom;
using AngleSharp.Html.Parser;
using Federated.Simulations.Reports;

namespace Federated.EndToEnd.Tests.Reports;

public sealed class HtmlReportTests
{
    private const string Hostile = "<img src=x onerror=alert(1)>&\"'";

    [Fact]
    public void Write_HostileNames_AreTextAndNothingElse()
    {
        Summary summary = Sample(Hostile);

        using IDocument page = new HtmlParser().ParseDocument(HtmlReport.Write(summary));

        Assert.Empty(page.QuerySelectorAll("img, script, link, iframe"));
        Assert.Equal(Hostile, page.QuerySelector("h1")!.TextContent);
        Assert.Contains(page.QuerySelectorAll("td"), cell => cell.TextContent == Hostile);
    }

    [Fact]
    public void Write_OneRound_HasAChartAndATableOfTraffic()
    {
        using IDocument page = new HtmlParser().ParseDocument(HtmlReport.Write(Sample("run")));

        Assert.Equal(4, page.QuerySelectorAll("svg").Length);
        Assert.Contains(page.QuerySelectorAll("tr"), row => string.Join('|', row.Children.Select(cell => cell.TextContent)) == "run|1|left|10|1,234|5,678");
    }

    [Fact]
    public void Write_NoFederatedRun_IsAReportWithoutCharts()
    {
        Summary summary = Sample("run");
        summary.Federated.Clear();

        using IDocument page = new HtmlParser().ParseDocument(HtmlReport.Write(summary));

        Assert.Empty(page.QuerySelectorAll("svg"));
    }

    [Fact]
    public void Write_WithoutBaselines_LeavesTheirColumnsEmpty()
    {
        Summary summary = Sample("run") with { Local = null, Centralised = null };

        Assert.Equal(["base (untrained head)", "run (federated)"], HtmlReport.Rows(summary).Select(row => row.Method));
        Assert.Contains("<td>left</td>", HtmlReport.Write(summary), StringComparison.Ordinal);
    }

    [Fact]
    public void ToJson_ARunsName_BecomesAKeyInSnakeCase()
    {
        using JsonDocument json = JsonDocument.Parse(Sample("lora-fair").ToJson());

        Assert.Equal(0.75, json.RootElement.GetProperty("lora_fair").GetProperty("accuracy").GetDouble());
        Assert.Equal(0.5, json.RootElement.GetProperty("local").GetProperty("mean_accuracy").GetDouble());
        Assert.False(json.RootElement.TryGetProperty("federated", out _));
    }

    private static Summary Sample(string name)
    {
        Score score = new() { Accuracy = 0.5, F1 = 0.4, Loss = 0.7 };
        Summary summary = new()
        {
            Scenario = name,
            Seed = 1,
            TestExamples = 8,
            Mailboxes = new Dictionary<string, IReadOnlyDictionary<string, int>> { ["left"] = new Dictionary<string, int> { ["ham"] = 6, ["spam"] = 4 } },
            StepsPerSite = 4,
            Base = score,
            Local = new() { Accuracy = 0.5, F1 = 0.4, Loss = 0.7, MeanAccuracy = 0.5, Mailboxes = new Dictionary<string, Score> { ["left"] = score } },
            Centralised = score,
        };
        summary.Federated[name] = new()
        {
            Method = "lora-fair",
            Accuracy = 0.75,
            F1 = 0.8,
            Loss = 0.3,
            BytesUpPerClientRound = 1234,
            BytesDownPerClientRound = 5678,
            AdapterSha256 = new string('0', 64),
            Rounds =
            [
                new()
                {
                    Round = 1,
                    Seconds = 1.5,
                    TrainingLoss = 0.6,
                    HoldoutAccuracy = 0.5,
                    TestAccuracy = 0.75,
                    Diagnostics = new Dictionary<string, double> { ["norm"] = 1 },
                    Sites = [new("left", 10, 1234, 5678)],
                },
            ],
        };
        return summary;
    }
}
