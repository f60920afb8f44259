using System.Text.Json;
using System.Text.RegularExpressions;
using Federated.EndToEnd.Tests.Support;
using Federated.Shared.Peft;
using Federated.Simulations.Processes;

namespace Federated.EndToEnd.Tests.Runs;

[Collection(TinyWorldCollection.Name)]
public sealed partial class RunCommandTests(FinishedRun run) : IClassFixture<FinishedRun>
{
    private static readonly string[] FederatedRuns = ["fedit", "lora_fair"];

    [Theory]
    [InlineData("base")]
    [InlineData("local")]
    [InlineData("fedit")]
    [InlineData("lora_fair")]
    [InlineData("centralised")]
    public void Summary_EveryMethod_HasAccuracyAndF1(string method)
    {
        JsonElement score = run.Summary.GetProperty(method);

        // The test set has 16 mails, so an accuracy is a whole number of sixteenths: a mean of three is one of 48ths.
        double accuracy = score.GetProperty("accuracy").GetDouble();
        Assert.InRange(accuracy, 0, 1);
        Assert.Equal(Math.Round(accuracy * 48), accuracy * 48, 9);
        Assert.InRange(score.GetProperty("f1").GetDouble(), 0, 1);
        Assert.True(score.GetProperty("loss").GetDouble() > 0);
    }

    [Fact]
    public void Summary_Local_IsTheMeanOfTheMailboxes()
    {
        JsonElement local = run.Summary.GetProperty("local");
        JsonProperty[] mailboxes = [.. local.GetProperty("mailboxes").EnumerateObject()];

        Assert.Equal(TinyWorld.MailboxNames, mailboxes.Select(box => box.Name).Order(StringComparer.Ordinal));
        Assert.Equal(mailboxes.Average(box => box.Value.GetProperty("accuracy").GetDouble()), local.GetProperty("mean_accuracy").GetDouble(), 12);
    }

    [Fact]
    public void Summary_BytesUp_AreMeasuredAndNoLessThanTheAdapter()
    {
        foreach (string name in FederatedRuns)
        {
            JsonElement score = run.Summary.GetProperty(name);
            foreach (JsonElement round in score.GetProperty("rounds").EnumerateArray())
            {
                JsonElement[] sites = [.. round.GetProperty("sites").EnumerateArray()];
                Assert.Equal(TinyWorld.MailboxNames, sites.Select(site => site.GetProperty("site").GetString()).Order(StringComparer.Ordinal));
                foreach (JsonElement site in sites)
                {
                    // A and B of q_proj (32 to 32) and v_proj (32 to 16) in 2 layers at rank 2, and the head of 2 x 32, in float32.
                    const int AdapterBytes = 4 * ((2 * 2 * (32 + 32 + 32 + 16)) + (2 * 32));
                    Assert.True(site.GetProperty("bytes_up").GetInt64() >= AdapterBytes, $"{site}");
                    Assert.True(site.GetProperty("bytes_down").GetInt64() > 0, $"{site}");
                }
            }

            Assert.Equal(2, score.GetProperty("rounds").GetArrayLength());
        }
    }

    [Fact]
    public void Summary_FirstRoundOfTheFirstRun_CarriesTheModelDown()
    {
        long model = new FileInfo(Path.Combine(run.World.Model, "model.safetensors")).Length;

        foreach (JsonElement site in run.Summary.GetProperty("fedit").GetProperty("rounds")[0].GetProperty("sites").EnumerateArray())
            Assert.True(site.GetProperty("bytes_down").GetInt64() > model, $"{site}, model of {model} bytes");
    }

    [Fact]
    public void Summary_Seconds_NameEveryStage()
    {
        string[] stages = [.. run.Summary.GetProperty("seconds").EnumerateObject().Select(stage => stage.Name)];

        Assert.Equal(["baselines", "data", "evaluation", "federated", .. FederatedRuns], stages.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Adapter_AfterARun_IsAPeftFolder()
    {
        string folder = run.Summary.GetProperty("adapter").GetString()!;
        AdapterFolder adapter = AdapterFolder.Read(folder);

        Assert.Equal(Path.Combine(run.Output, "adapter"), folder);
        LoraConfig config = Assert.IsType<LoraConfig>(adapter.Config);
        Assert.Equal((2, 4.0), (config.Rank, config.Alpha));
        Assert.Equal((2 * 2 * 2) + 1, adapter.Tensors.Count);
    }

    [Fact]
    public void Report_AfterARun_NeedsNothingElse()
    {
        string html = File.ReadAllText(Path.Combine(run.Output, "report.html"));

        Assert.Contains("<svg", html, StringComparison.Ordinal);
        Assert.DoesNotMatch(Loads(), html);
    }

    [Theory]
    [InlineData("coordinator")]
    [InlineData("agent-left")]
    [InlineData("agent-middle")]
    [InlineData("agent-right")]
    [InlineData("local-left")]
    [InlineData("centralised")]
    [InlineData("evaluate-0")]
    public void Logs_EveryProcess_HasItsOwn(string process) =>
        Assert.NotEqual(0, new FileInfo(Path.Combine(run.Output, "logs", process + ".log")).Length);

    [Fact]
    public void Logs_OfAgentsAndCoordinator_HoldNoPrivateText()
    {
        string[] texts = [.. run.World.Records.Select(mail => mail.Text)];

        foreach (string log in Directory.EnumerateFiles(Path.Combine(run.Output, "logs")))
        {
            string said = File.ReadAllText(log);
            Assert.DoesNotContain(texts, text => said.Contains(text[..20], StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task Run_SameSeedAgain_GivesTheSameAdaptersBitByBit()
    {
        JsonElement again = await RepeatAsync("again");

        foreach (string name in FederatedRuns)
            Assert.Equal(Hash(run.Summary, name), Hash(again, name));
        Assert.NotEqual(Hash(again, "fedit"), Hash(again, "lora_fair"));
    }

    [Fact]
    public async Task Run_AnotherSeed_GivesOtherAdapters()
    {
        JsonElement other = await RepeatAsync("other-seed", "--seed", "8");

        foreach (string name in FederatedRuns)
            Assert.NotEqual(Hash(run.Summary, name), Hash(other, name));
    }

    [Fact]
    public async Task Run_EvaluateEveryOtherRound_ScoresThoseAndTheLast()
    {
        string scenario = run.World.WriteScenario("curve", rounds: 3, baselines: false, "{ fedit: { name: fedit } }");
        await File.AppendAllTextAsync(scenario, "evaluate_every: 2\n");

        JsonElement summary = await RunAsync("curve", scenario);

        Assert.Equal([false, true, true], summary.GetProperty("fedit").GetProperty("rounds").EnumerateArray().Select(round => round.TryGetProperty("test_accuracy", out _)));
    }

    private Task<JsonElement> RepeatAsync(string name, params string[] more) => RunAsync(name, run.World.WriteScenario(name, baselines: false), more);

    private async Task<JsonElement> RunAsync(string name, string scenario, params string[] more)
    {
        await using ProcessFleet fleet = new(run.World[name + "-logs"]);
        FleetProcess runner = await Runner.StartAsync(fleet, scenario, run.World[name + "-out"], more);
        await runner.SucceedAsync(CancellationToken.None);
        return FinishedRun.ReadSummary(run.World[name + "-out"]);
    }

    private static string Hash(JsonElement summary, string name)
    {
        string hash = summary.GetProperty(name).GetProperty("adapter_sha256").GetString()!;
        Assert.Equal(64, hash.Length);
        return hash;
    }

    [GeneratedRegex("""(?:src|href)\s*=|url\(|@import|<script|<link|https?://(?!www\.w3\.org/2000/svg)""", RegexOptions.IgnoreCase)]
    private static partial Regex Loads();
}
