using Federated.Client.Agent;
using Federated.Client.Models;
using Federated.Client.Tests.Fixtures;
using Federated.Client.Tests.Training;
using Federated.Client.Tokenizers.Files;
using Federated.Client.Training;
using Federated.Client.Training.Objectives;
using Federated.Client.Training.Tasks;
using Federated.Shared.Protocol;
using Federated.Shared.Tensors;
using Google.Protobuf;
using static TorchSharp.torch;

namespace Federated.Client.Tests.Agent;

[Collection(nameof(NativeState))]
public sealed class LocalRoundTests : IDisposable
{
    private readonly TinyModel _tiny = new();
    private int _updates;

    public void Dispose() => _tiny.Dispose();

    [Fact]
    public async Task Train_AnyPlan_GivesExactlyTheGlobalAdaptersTensorsAndHoldoutMetrics()
    {
        RoundPlan plan = await PlanAsync();
        string global = _tiny.Global(plan);
        using LocalRound local = new(_tiny.Data, threads: 1);
        List<int> steps = [];
        (LocalRoundResult result, NamedTensors update) = Train(local, plan, "ward-7", global, progress => steps.Add(progress.Step));
        NamedTensors start = NamedTensors.FromFile(global);
        Assert.Equal(start.Names, update.Names);
        Assert.All(start.Names, name => Assert.Equal(start.Shape(name), update.Shape(name)));
        Assert.False(start.ContentEquals(update));
        Assert.Equal([1, 2, 3], steps);

        // 12 of each label, a quarter of each held out.
        Assert.Equal((24L, 18L, 6L), (local.Examples, result.Examples, result.Metrics.HoldoutExamples));
        Assert.InRange(result.Metrics.HoldoutAccuracy, 0, 1);
        Assert.InRange(result.Metrics.HoldoutLoss, 0.01, 10);
        Assert.True(result.Metrics.Tokens > 0);
    }

    [Fact]
    public async Task Train_Again_IsBitIdenticalForTheSameSiteOnly()
    {
        RoundPlan plan = await PlanAsync();
        string global = _tiny.Global(plan);
        using LocalRound local = new(_tiny.Data, threads: 1), restarted = new(_tiny.Data, threads: 1);
        NamedTensors first = Train(local, plan, "ward-7", global).Update;
        Assert.True(first.ContentEquals(Train(local, plan, "ward-7", global).Update));
        Assert.True(first.ContentEquals(Train(restarted, plan, "ward-7", global).Update));
        Assert.False(first.ContentEquals(Train(local, plan, "ward-8", global).Update));
        Assert.False(first.ContentEquals(Train(local, plan with { Seed = 8 }, "ward-7", global).Update));
    }

    [Fact]
    public async Task Train_ALaterRound_GoesOnWithBatchesThatTheEarlierOnesDidNotHave()
    {
        // Without a warm-up and a schedule nothing but the batches tells one round from another; the 18 examples are two batches of 9.
        RoundPlan plan = await PlanAsync();
        TrainingPlan flat = plan.Training with { Steps = 1, BatchSize = 9, WarmupSteps = 0, Schedule = "constant", TotalSteps = 10 };
        string global = _tiny.Global(plan);
        using LocalRound local = new(_tiny.Data, threads: 1);
        long[] tokens = [.. Enumerable.Range(0, 4).Select(offset => Train(local, plan with { Training = flat with { StepOffset = offset } }, "ward-7", global).Result.Metrics.Tokens)];
        Assert.Equal(tokens[0] + tokens[1], tokens[2] + tokens[3]);
        Assert.NotEqual(tokens[0], tokens[1]);
    }

    [Fact]
    public async Task Train_AfterAPlanThatSavesTheHeadWhole_DoesNotStartFromItsHead()
    {
        RoundPlan whole = await PlanAsync(), frozen = whole with { Adapter = whole.Adapter with { ModulesToSave = [] } };
        using LocalRound local = new(_tiny.Data, threads: 1), fresh = new(_tiny.Data, threads: 1);
        Train(local, whole, "ward-7", _tiny.Global(whole));
        string global = _tiny.Global(frozen);
        Assert.True(Train(fresh, frozen, "ward-7", global).Update.ContentEquals(Train(local, frozen, "ward-7", global).Update));
    }

    [Fact]
    public async Task Train_CausalLanguageModel_ReportsTheLossThatTheGlobalAdapterHasOnTheHoldOut()
    {
        // Seven documents of which two are held out, each longer than a row: passages, of which all but a document's last leave their end unlearned.
        string data = _tiny.Write("speeches.txt", string.Join("\n<|endoftext|>\n", Enumerable.Range(0, 7).Select(i => string.Join(' ', Enumerable.Repeat($"{TinyModel.Canary} number {i}", 10)))));
        RoundPlan plan = await PlanAsync();
        plan = plan with
        {
            Adapter = plan.Adapter with { ModulesToSave = [] },
            Training = plan.Training with { Objective = KnownObjectives.CausalLanguageModel, Labels = [] },
        };
        string global = _tiny.Global(plan);
        using LocalRound local = new(data, threads: 1);
        (LocalRoundResult result, NamedTensors update) = Train(local, plan, "ward-7", global);
        Assert.Equal(7, local.Examples);
        Assert.Equal(0, result.Metrics.HoldoutAccuracy);
        Assert.False(NamedTensors.FromFile(global).ContentEquals(update));

        // Fresh factors change nothing, so the base model's loss on the same passages is the hold-out loss.
        using PretrainedModel model = PretrainedModel.Load(_tiny.Model);
        TaskData held = TrainingTasks.Of(KnownObjectives.CausalLanguageModel).Read(
            new() { Path = data, Tokenizer = TokenizerFolder.Read(_tiny.Model), MaxTokens = 32, HoldoutShare = 0.25 }, default);
        // The weight is in documents, which the site registered; batches are made of more blocks than that.
        Assert.Equal(5, result.Examples);
        Assert.True(held.TrainingExamples > 5);
        Assert.Equal(held.HoldoutExamples, result.Metrics.HoldoutExamples);
        Assert.Equal(Evaluator.LanguageModel(model, held.Holdout()).Loss, result.Metrics.HoldoutLoss, 1e-9);
        Assert.True(Train(local, plan, "ward-7", global).Update.ContentEquals(update));
    }

    [Fact]
    public async Task Train_RoundAfterRound_LeavesNoTensorBehind()
    {
        RoundPlan plan = await PlanAsync();
        string global = _tiny.Global(plan);
        using LocalRound local = new(_tiny.Data, threads: 1);
        int factors = Train(local, plan, "ward-7", global).Update.Names.Count(name => name.Contains(".lora_", StringComparison.Ordinal));
        long before = Tensor.TotalCount;
        Train(local, plan, "ward-7", global);
        Train(local, plan, "ward-7", global);
        Assert.Equal(before + (2 * factors * Counting.PerParameter), Tensor.TotalCount);
    }

    [Fact]
    public async Task Train_PlanThatDoesNotFit_IsRefused()
    {
        RoundPlan plan = await PlanAsync();
        string global = _tiny.Global(plan);
        using LocalRound local = new(_tiny.Data, threads: 1);
        FederatedException rank = Assert.Throws<FederatedException>(() => Train(local, plan with { Adapter = plan.Adapter with { Rank = 4096 } }, "ward-7", global));
        Assert.Contains("has factors of rank 2", rank.Message, StringComparison.Ordinal);
        FederatedException length = Assert.Throws<FederatedException>(() => Train(local, plan with { Training = plan.Training with { MaxTokens = 65 } }, "ward-7", global));
        Assert.Contains("at most 64", length.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Agent_WithRealTraining_LetsNothingOfTheTextsOut()
    {
        using LocalRound local = new(_tiny.Data, threads: 1);
        await using AgentHarness agent = await AgentHarness.StartAsync(fake => fake.Fetching = (_, rest) => rest.Chunk(ProtocolLimits.ChunkBytes), local: local);
        FakeStream stream = await agent.StreamAsync();
        RoundPlan plan = agent.Plan();
        plan = plan with
        {
            Model = [.. Directory.GetFiles(_tiny.Model).Select(file => new ModelFile { Name = Path.GetFileName(file), Content = agent.Coordinator.Offer(File.ReadAllBytes(file)) })],
            Global = agent.Coordinator.Offer(await File.ReadAllBytesAsync(_tiny.Global(plan))),
        };
        stream.Send(plan);
        (UpdateManifest manifest, byte[] bytes, _) = await agent.Coordinator.Uploads.Reader.NextAsync();
        Assert.Equal((18L, (long)bytes.Length), (manifest.Examples, manifest.Content.Length));

        stream.Send(plan with { Round = 2, Training = plan.Training with { Labels = ["apples", "pears"] } });
        TaskFailed failed = (await agent.EventAsync(AgentEvent.EventOneofCase.Failed)).Failed;
        Assert.Contains("line 1", failed.Reason, StringComparison.Ordinal);
        Assert.DoesNotContain("mail.jsonl", failed.Reason, StringComparison.Ordinal);

        Assert.DoesNotContain(TinyModel.Canary, agent.Log.Text, StringComparison.OrdinalIgnoreCase);
        Assert.All(agent.Coordinator.Received, message => Assert.DoesNotContain(
            TinyModel.Canary, System.Text.Encoding.Latin1.GetString(message.ToByteArray()), StringComparison.OrdinalIgnoreCase));
    }

    private static async Task<RoundPlan> PlanAsync()
    {
        await using AgentHarness agent = await AgentHarness.StartAsync(start: false);
        return agent.Plan();
    }

    private (LocalRoundResult Result, NamedTensors Update) Train(LocalRound local, RoundPlan plan, string site, string global, Action<LocalProgress>? progress = null)
    {
        string update = _tiny[$"update-{_updates++}"];
        LocalRoundResult result = local.Train(plan, site, new(_tiny.Model, global), update, progress ?? (_ => { }), default);
        return (result, NamedTensors.FromFile(update));
    }
}
