using System.Text.Json;
using Federated.Client.Commands;
using Federated.Client.Tests.Agent;
using Federated.Client.Tests.Training;

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
        AdapterScore alone = (await EvaluateAsync()).Results.Single();
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

    private async Task<(int Code, string Output, string Error)> TrainAsync(params string[] more) => await CapturedConsole.RunAsync([
        "train", "--model", _tiny.Model, "--data", _tiny.Data, "--labels", "ham,spam", "--rank", "2", "--batch-size", "6", "--holdout-share", "0.25", "--learning-rate", "0.02",
        "--threads", "1", .. more.Contains("--steps") ? (string[])[] : ["--steps", "30"], .. more.Contains("--out") ? (string[])[] : ["--out", _tiny["adapter"]], .. more]);

    private async Task<EvaluationOutput> EvaluateAsync(params string[] more)
    {
        (int code, string output, string error) = await CapturedConsole.RunAsync([
            "evaluate", "--model", _tiny.Model, "--data", _tiny.Data, "--labels", "ham,spam", "--threads", "1", "--json", .. more, "--adapter", _tiny["adapter"]]);
        Assert.Equal((ExitCodes.Ok, ""), (code, error));
        return JsonSerializer.Deserialize(output, CommandJson.Default.EvaluationOutput)!;
    }
}
