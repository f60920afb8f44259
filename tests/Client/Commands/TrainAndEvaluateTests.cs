using System.Text.Json;
using Federated.Client.Commands;
using Federated.Client.Tests.Agent;
using Federated.Client.Tests.Training;
using Federated.Shared.Peft;

namespace Federated.Client.Tests.Commands;

[Collection(nameof(NativeState))]
public sealed class TrainAndEvaluateTests : IDisposable
{
    private readonly TinyModel _tiny = new();

    public void Dispose() => _tiny.Dispose();

    [Fact]
    public async Task TrainThenEvaluate_OnSeparableTexts_LearnsAndAgreesWithItself()
    {
        (int code, string output, string error) = await TrainAsync("--json");
        Assert.Equal((ExitCodes.Ok, ""), (code, error));
        TrainingOutput training = JsonSerializer.Deserialize(output, CommandJson.Default.TrainingOutput)!;
        Assert.Equal((_tiny["adapter"], 30, 6L), (training.Adapter, training.Steps, training.HoldoutExamples));

        EvaluationOutput first = await EvaluateAsync(), second = await EvaluateAsync();
        Assert.Equal(first.Results, second.Results);
        Assert.Equal((24L, _tiny["adapter"]), (first.Examples, first.Results.Single().Adapter));
        Assert.True(first.Results[0].Accuracy > 0.9, $"{first.Results[0]}");
        Assert.True(first.Results[0].F1 > 0.9, $"{first.Results[0]}");
    }

    [Fact]
    public async Task Evaluate_SeveralAdapters_GivesEachWhatItGetsAlone()
    {
        await TrainAsync();
        string other = _tiny["other"];
        await TrainAsync("--out", other, "--seed", "9", "--steps", "2", "--warmup-steps", "0");
        EvaluationScore alone = (await EvaluateAsync()).Results.Single();
        EvaluationOutput both = await EvaluateAsync("--adapter", other);
        Assert.Contains(alone, both.Results);
        Assert.Equal(2, both.Results.Select(result => result.Loss).Distinct().Count());
    }

    [Fact]
    public async Task Evaluate_ForPeople_PrintsATable()
    {
        await TrainAsync();
        (int code, string output, _) = await CapturedConsole.RunAsync("evaluate", "--model", _tiny.Model, "--data", _tiny.Data, "--labels", "ham,spam", "--threads", "1");
        Assert.Equal(ExitCodes.Ok, code);
        Assert.Contains("24 examples", output, StringComparison.Ordinal);
        Assert.Contains("(none)", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Evaluate_UnknownLabel_NamesTheLineAndNotTheText()
    {
        (int code, _, string error) = await CapturedConsole.RunAsync("evaluate", "--model", _tiny.Model, "--data", _tiny.Data, "--labels", "ham,junk", "--threads", "1");
        Assert.Equal(ExitCodes.BadData, code);
        Assert.Contains("mail.jsonl:2:", error, StringComparison.Ordinal);
        Assert.DoesNotContain(TinyModel.Canary, error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Evaluate_FolderWithoutAModel_IsBadData()
    {
        (int code, _, string error) = await CapturedConsole.RunAsync("evaluate", "--model", Path.GetDirectoryName(_tiny.Data)!, "--data", _tiny.Data, "--labels", "ham,spam", "--threads", "1");
        Assert.Equal(ExitCodes.BadData, code);
        Assert.NotEmpty(error);
    }

    [Fact]
    public async Task TrainThenEvaluate_PlainText_LowersThePerplexityOfEveryGroup()
    {
        string data = _tiny.Write("speeches.jsonl", string.Concat(Enumerable.Range(0, 12).Select(i => $$"""{"text":"the {{(i % 3 == 0 ? "union of states" : "state of the union")}} is strong","era":{{(i % 3 == 0 ? "\"early\"" : "null")}}}""" + "\n")));
        (int code, string output, string error) = await CapturedConsole.RunAsync(
            "train", "--model", _tiny.Model, "--data", data, "--out", _tiny["lm"], "--rank", "2", "--steps", "40", "--batch-size", "2", "--learning-rate", "0.02",
            "--holdout-share", "0", "--threads", "1", "--max-tokens", "32", "--json");
        Assert.Equal((ExitCodes.Ok, ""), (code, error));
        TrainingOutput training = JsonSerializer.Deserialize(output, CommandJson.Default.TrainingOutput)!;
        Assert.Equal(("causal-lm", 40, 0L, null), (training.Objective, training.Steps, training.HoldoutExamples, training.HoldoutPerplexity));

        string[] evaluate = ["evaluate", "--model", _tiny.Model, "--data", data, "--by", "era", "--threads", "1", "--max-tokens", "32"];
        EvaluationScore[] scores = [Evaluated(await CapturedConsole.RunAsync([.. evaluate, "--json"])), Evaluated(await CapturedConsole.RunAsync([.. evaluate, "--json", "--adapter", _tiny["lm"]]))];
        Assert.Equal(["(none)", "early"], scores[1].Groups!.Select(group => group.Group));
        Assert.Equal([8, 4], scores[1].Groups!.Select(group => group.Examples));
        Assert.All(scores[0].Groups!.Zip(scores[1].Groups!), pair => Assert.True(pair.Second.Perplexity < pair.First.Perplexity / 2, $"{pair}"));
        Assert.Equal(Math.Exp(scores[1].Loss!.Value), scores[1].Perplexity!.Value, 1e-9);

        (_, string table, _) = await CapturedConsole.RunAsync(evaluate);
        Assert.All(["perplexity", "(none)", "early", "(all)"], word => Assert.Contains(word, table, StringComparison.Ordinal));
        Assert.DoesNotContain("accuracy", table, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Train_InterruptedAndStartedAgain_EndsWithTheSameBytes()
    {
        await TrainAsync("--out", _tiny["whole"], "--steps", "6", "--warmup-steps", "1", "--dropout", "0.1");
        string[] part = ["--out", _tiny["part"], "--steps", "6", "--warmup-steps", "1", "--dropout", "0.1", "--checkpoint-every", "4"];
        await TrainAsync(part);
        Assert.False(Directory.Exists(_tiny["part.checkpoint"]));
        byte[] whole = File.ReadAllBytes(Path.Combine(_tiny["whole"], "adapter_model.safetensors"));
        Assert.Equal(whole, File.ReadAllBytes(Path.Combine(_tiny["part"], "adapter_model.safetensors")));

        // The disk refuses the result of the first run, so its checkpoint after step 4 stays; the second run does the two steps that are left.
        Directory.Delete(_tiny["part"], recursive: true);
        File.WriteAllText(_tiny["part"], "in the way");
        Assert.NotEqual(ExitCodes.Ok, (await TrainAsync(part)).Code);
        File.Delete(_tiny["part"]);
        (int code, _, string error) = await TrainAsync([.. part, "--rank", "4"]);
        Assert.Equal(ExitCodes.BadData, code);
        Assert.Contains("other values of --rank", error, StringComparison.Ordinal);
        (code, string output, _) = await TrainAsync([.. part, "--json"]);
        Assert.Equal(ExitCodes.Ok, code);
        TrainingOutput rest = JsonSerializer.Deserialize(output, CommandJson.Default.TrainingOutput)!;
        Assert.Equal(6, rest.Steps);
        Assert.Equal(whole, File.ReadAllBytes(Path.Combine(_tiny["part"], "adapter_model.safetensors")));
        Assert.False(Directory.Exists(_tiny["part.checkpoint"]));
    }

    [Fact]
    public async Task Train_Full_WritesACheckpointThatStandsAlone()
    {
        (int code, _, string error) = await TrainAsync("--out", _tiny["model2"], "--full");
        Assert.Equal((ExitCodes.Ok, ""), (code, error));
        EvaluationScore score = Evaluated(await CapturedConsole.RunAsync("evaluate", "--model", _tiny["model2"], "--data", _tiny.Data, "--threads", "1", "--json"));
        Assert.True(score.Accuracy > 0.9, $"{score}");
        Assert.InRange(score.CalibrationError!.Value, 0, 1);
    }

    [Fact]
    public async Task Train_AdapterFromAFile_IsOfThatKind()
    {
        string config = _tiny.Write("ia3.json", """{"peft_type":"IA3","target_modules":["k_proj","v_proj","down_proj"],"feedforward_modules":["down_proj"]}""");
        string[] common = ["train", "--model", _tiny.Model, "--data", _tiny.Data, "--labels", "ham,spam", "--steps", "2", "--warmup-steps", "0", "--threads", "1", "--out", _tiny["ia3"]];
        (int code, _, string error) = await CapturedConsole.RunAsync([.. common, "--adapter-config", config]);
        Assert.Equal((ExitCodes.Ok, ""), (code, error));
        PeftConfig written = AdapterFolder.Read(_tiny["ia3"]).Config;
        Assert.Equal(("IA3", "SEQ_CLS", "score"), (written.PeftType, written.TaskType, Assert.Single(written.ModulesToSave!)));

        (code, _, error) = await CapturedConsole.RunAsync([.. common, "--adapter-config", config, "--rank", "4", "--full"]);
        Assert.Equal(ExitCodes.BadConfiguration, code);
        Assert.Contains("only one of --full and --adapter-config", error, StringComparison.Ordinal);
    }

    private static EvaluationScore Evaluated((int Code, string Output, string Error) run)
    {
        Assert.Equal((ExitCodes.Ok, ""), (run.Code, run.Error));
        return JsonSerializer.Deserialize(run.Output, CommandJson.Default.EvaluationOutput)!.Results.Single();
    }

    private async Task<(int Code, string Output, string Error)> TrainAsync(params string[] more) => await CapturedConsole.RunAsync([
        "train", "--model", _tiny.Model, "--data", _tiny.Data, "--labels", "ham,spam", "--batch-size", "6", "--holdout-share", "0.25", "--learning-rate", "0.02",
        "--threads", "1", .. more.Intersect(["--rank", "--full"]).Any() ? (string[])[] : ["--rank", "2"], .. more.Contains("--steps") ? (string[])[] : ["--steps", "30"], .. more.Contains("--out") ? (string[])[] : ["--out", _tiny["adapter"]], .. more]);

    private async Task<EvaluationOutput> EvaluateAsync(params string[] more)
    {
        (int code, string output, string error) = await CapturedConsole.RunAsync([
            "evaluate", "--model", _tiny.Model, "--data", _tiny.Data, "--labels", "ham,spam", "--threads", "1", "--json", .. more, "--adapter", _tiny["adapter"]]);
        Assert.Equal((ExitCodes.Ok, ""), (code, error));
        return JsonSerializer.Deserialize(output, CommandJson.Default.EvaluationOutput)!;
    }
}
