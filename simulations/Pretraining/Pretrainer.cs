using Federated.Client.Models;
using Federated.Client.Tokenizers;
using Federated.Client.Tokenizers.Bpe;
using Federated.Client.Tokenizers.Files;
using Federated.Client.Training;
using Federated.Client.Training.Objectives;
using Federated.Shared.Tensors;
using TorchSharp;

namespace Federated.Simulations.Pretraining;

/// <summary>Trains a small Llama from nothing on public text: tokenizer first, then all parameters on next-token prediction.</summary>
/// <remarks>
/// Checkpoints go to <c>OUTPUT.checkpoint</c>, beside the result; the same command started again goes on from the newest one, with
/// the batches that the uninterrupted run would have drawn.
/// </remarks>
public sealed class Pretrainer(PretrainingOptions options, TimeProvider clock)
{
    private const string EndOfText = "<|endoftext|>", Padding = "<|pad|>";
    private const int EvaluationBatch = 16;

    /// <summary>Batches of held-out text measured while training goes on; the figures at the end are of all of it.</summary>
    private const int CurveBatches = 6;

    private readonly string _checkpoint = options.Output.TrimEnd('/', '\\') + ".checkpoint";

    /// <summary>Trains and writes the model folder.</summary>
    /// <param name="report">Told after every step.</param>
    /// <param name="cancellation">Stops between two steps; the newest checkpoint stays.</param>
    public PretrainingResult Run(Action<PretrainingProgress> report, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(report);
        long start = clock.GetTimestamp();
        torch.set_num_threads(options.Threads);
        PretrainingCorpus corpus = PretrainingCorpus.Load(options.Sotu, options.Mail, options.MailRepeats);
        Tokenizer tokenizer = TrainTokenizer(corpus, cancellation);
        int endOfText = tokenizer.Special.Eos!.Value;
        Passages training = new(corpus.Training, tokenizer, endOfText, options.Context);
        Passages speeches = new(corpus.HeldOutSpeeches, tokenizer, endOfText, options.Context);
        Passages mail = new(corpus.HeldOutMail, tokenizer, endOfText, options.Context);

        RequireText(training, options.Sotu);
        RequireText(speeches, options.Sotu);
        RequireText(mail, options.Mail);

        using PretrainedModel model = PretrainedModel.Create(Config(tokenizer), (ulong)options.Seed);
        List<PretrainingPoint> curve = [];
        double trainedSeconds = options.Steps > 0 ? Train(model, training, speeches, mail, curve, report, cancellation) : 0;

        Directory.CreateDirectory(options.Output);
        model.Save(options.Output, DType.F16);
        TokenizerFolder.Write(options.Output, tokenizer);
        BigramModel bigram = new(training.InOrder(EvaluationBatch), tokenizer.VocabularySize);
        return new(
            model.ParameterCount, training.Tokens, trainedSeconds, clock.GetElapsedTime(start).TotalSeconds,
            Evaluator.LanguageModel(model, speeches.InOrder(EvaluationBatch), cancellation).Perplexity,
            Evaluator.LanguageModel(model, mail.InOrder(EvaluationBatch), cancellation).Perplexity,
            bigram.Perplexity(speeches.InOrder(EvaluationBatch)), bigram.Perplexity(mail.InOrder(EvaluationBatch)), curve);
    }

    private double Train(
        PretrainedModel model, Passages training, Passages speeches, Passages mail,
        List<PretrainingPoint> curve, Action<PretrainingProgress> report, CancellationToken cancellation)
    {
        LocalTrainer trainer = new(model, model.Parameters, Objective(), new()
        {
            Steps = options.Steps,
            LearningRate = options.LearningRate,
            Schedule = LearningRateSchedules.Cosine,
            WarmupSteps = Math.Min(options.Steps, Math.Max(1, options.Steps / 20)),
            Beta2 = 0.95,
            WeightDecay = 0.1,
            DecayVectors = false,
            ClipNorm = 1,
            Seed = options.Seed,
        }, clock);
        PretrainingLog log = new(_checkpoint);
        if (log.HasCheckpoint)
            trainer.Load(log.StatePath);
        curve.AddRange(log.Restore(trainer.StepsDone));
        double seconds = curve.Count == 0 ? 0 : curve[^1].Seconds;

        long began = clock.GetTimestamp();
        foreach (TrainingBatch batch in training.Shuffled(options.BatchSize, (ulong)options.Seed, trainer.StepsDone))
        {
            if (trainer.StepsDone >= options.Steps)
                break;

            StepReport step = trainer.Step([batch], cancellation);
            report(new(step.Step, options.Steps, step.Loss, step.LearningRate, step.TokensPerSecond, curve.Count == 0 ? null : curve[^1]));
            if (step.Step % options.CheckpointEvery == 0 || step.Step == options.Steps)
            {
                curve.Add(new(
                    step.Step, seconds + clock.GetElapsedTime(began).TotalSeconds, step.Loss,
                    Evaluator.LanguageModel(model, speeches.InOrder(EvaluationBatch).Take(CurveBatches), cancellation).Perplexity,
                    Evaluator.LanguageModel(model, mail.InOrder(EvaluationBatch).Take(CurveBatches), cancellation).Perplexity));
                trainer.Save(log.StatePath);
                log.Append(curve[^1]);
            }
        }

        return seconds + clock.GetElapsedTime(began).TotalSeconds;
    }

    private IObjective Objective() =>
        options.SummaryWeight > 0 ? new SummarisingLanguageModelObjective(options.SummaryWeight) : new CausalLanguageModelObjective();

    private static void RequireText(Passages text, string source)
    {
        if (text.Count == 0)
            throw new InvalidDataException($"{source}: it has no text of a kind that pretraining needs (to learn, or held out). Give more text.");
    }

    private Tokenizer TrainTokenizer(PretrainingCorpus corpus, CancellationToken cancellation) => BpeTrainer.Train(
        corpus.Training,
        new BpeTrainerOptions
        {
            VocabularySize = options.Vocabulary,
            SpecialTokens = [EndOfText, Padding],
            Roles = new SpecialTokens(Bos: EndOfText, Eos: EndOfText, Pad: Padding),
        },
        cancellation: cancellation);

    private LlamaConfig Config(Tokenizer tokenizer) => new()
    {
        Task = ModelTask.CausalLanguageModel,
        VocabularySize = tokenizer.VocabularySize,
        HiddenSize = options.Hidden,
        MaxPositions = 4 * options.Context,
        PadTokenId = tokenizer.Special.Pad,
        BosTokenId = tokenizer.Special.Bos,
        EosTokenId = tokenizer.Special.Eos,
        Layers = options.Layers,
        Heads = options.Heads,
        KeyValueHeads = options.KeyValueHeads,
        HeadSize = options.Hidden / options.Heads,
        IntermediateSize = options.Intermediate,
        TieWordEmbeddings = true,
    };
}
