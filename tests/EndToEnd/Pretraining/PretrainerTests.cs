using Federated.Client.Models;
using Federated.EndToEnd.Tests.Support;
using Federated.Simulations.Pretraining;

namespace Federated.EndToEnd.Tests.Pretraining;

[Collection(TinyWorldCollection.Name)]
public sealed class PretrainerTests(TinyWorld world)
{
    private const int BadOptions = 78, BadData = 65;

    [Fact]
    public void Run_InterruptedAndResumed_GivesTheSameModelBitByBit()
    {
        PretrainingResult whole = Pretrain(Options("whole"));
        using CancellationTokenSource stop = new();
        PretrainingOptions interrupted = Options("interrupted");

        // Stopped after step 3: the newest checkpoint is of step 2, so step 3 is made twice.
        Assert.Throws<OperationCanceledException>(() => new Pretrainer(interrupted, TimeProvider.System).Run(
            step =>
            {
                if (step.Step == 3)
                    stop.Cancel();
            },
            stop.Token));
        List<int> steps = [];
        PretrainingResult resumed = new Pretrainer(interrupted, TimeProvider.System).Run(step => steps.Add(step.Step), CancellationToken.None);

        Assert.Equal([3, 4, 5, 6], steps);
        Assert.Equal(Weights("whole"), Weights("interrupted"));
        Assert.Equal(whole.Curve.Select(point => point with { Seconds = 0 }), resumed.Curve.Select(point => point with { Seconds = 0 }));
        Assert.Equal(whole.MailPerplexity, resumed.MailPerplexity);
    }

    [Fact]
    public void Run_ACurveLineCutOffByAKill_IsDropped()
    {
        PretrainingOptions options = Options("cut");
        PretrainingResult whole = Pretrain(options);
        File.AppendAllText(world["cut.checkpoint/curve.jsonl"], "{\"Step\":8,\"Sec");

        Assert.Equal(whole.Curve, Pretrain(options).Curve);
    }

    [Fact]
    public void Run_NoSteps_WritesTheUntrainedModel()
    {
        PretrainingResult result = Pretrain(Options("untrained") with { Steps = 0 });

        Assert.Empty(result.Curve);
        using PretrainedModel model = PretrainedModel.Load(world["untrained"]);
        Assert.Equal(result.Parameters, model.ParameterCount);
        // Untrained it knows nothing: the perplexity is about that of a uniform guess over the vocabulary.
        Assert.InRange(result.MailPerplexity, 0.8 * model.TextConfig.VocabularySize, 1.25 * model.TextConfig.VocabularySize);
    }

    [Fact]
    public void Run_NoTextToLearnFrom_SaysWhichFile()
    {
        string empty = world["no-speeches.jsonl"];
        File.WriteAllText(empty, "");

        InvalidDataException refusal = Assert.Throws<InvalidDataException>(() => Pretrain(Options("empty") with { Sotu = empty }));

        Assert.Contains(empty, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_WithoutSummaries_GivesAnotherModel()
    {
        Pretrain(Options("summaries"));
        Pretrain(Options("plain") with { SummaryWeight = 0 });

        Assert.NotEqual(Weights("summaries"), Weights("plain"));
    }

    [Fact]
    public void Validate_ManyBadOptions_NamesEachOnce()
    {
        PretrainingOptions options = new()
        {
            Sotu = "no-sotu.jsonl",
            Mail = "no-mail.br",
            Output = world["bad"],
            Vocabulary = 10,
            Hidden = 30,
            Heads = 4,
            KeyValueHeads = 3,
            Intermediate = 0,
            Layers = 0,
            Context = 1,
            SummaryWeight = -1,
            BatchSize = 0,
            Steps = -1,
            LearningRate = double.NaN,
            Threads = 0,
            CheckpointEvery = 0,
        };
        string[] named =
        [
            "--sotu 'no-sotu.jsonl'", "--mail 'no-mail.br'", "--vocabulary is 10", "--hidden 30 over --heads 4", "--kv-heads 3", "--intermediate is 0",
            "--layers is 0", "--context is 1", "--summary-weight is -1", "--batch-size is 0", "--steps is -1", "--learning-rate is NaN", "--threads is 0", "--checkpoint-every is 0",
        ];

        IReadOnlyList<string> errors = options.Validate();

        Assert.Equal(named.Length, errors.Count);
        Assert.All(named, name => Assert.Single(errors, error => error.StartsWith(name, StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Command_BadOptions_EndsWithConfigurationError() => Assert.Equal(BadOptions, await PretrainCommand.Create()
        .Parse(["--sotu", world.Speeches, "--mail", world.Corpus, "--out", world["bad-command"], "--steps", "-1"]).InvokeAsync());

    [Fact]
    public async Task Command_ABrokenRecord_EndsWithDataError()
    {
        string broken = world["broken-sotu.jsonl"];
        await File.WriteAllTextAsync(broken, "{\"year\": \n");

        Assert.Equal(BadData, await PretrainCommand.Create()
            .Parse(["--sotu", broken, "--mail", world.Corpus, "--out", world["broken-out"], "--threads", "1"]).InvokeAsync());
    }

    private static PretrainingResult Pretrain(PretrainingOptions options) => new Pretrainer(options, TimeProvider.System).Run(_ => { }, CancellationToken.None);

    private byte[] Weights(string name) => File.ReadAllBytes(Path.Combine(world[name], "model.safetensors"));

    private PretrainingOptions Options(string name) => new()
    {
        Sotu = world.Speeches,
        Mail = world.Corpus,
        Output = world[name],
        Vocabulary = 280,
        Hidden = 16,
        Layers = 1,
        Heads = 2,
        KeyValueHeads = 1,
        Intermediate = 32,
        Context = 16,
        BatchSize = 4,
        Steps = 6,
        LearningRate = 0.01,
        Threads = 1,
        CheckpointEvery = 2,
    };
}
