using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Federated.Client.Adapters;
using Federated.Client.ChatTemplates;
using Federated.Client.Data;
using Federated.Client.Data.Images;
using Federated.Client.Models;
using Federated.Client.Tokenizers.Files;
using Federated.Client.Training;
using Federated.Client.Training.Tasks;
using Federated.Shared.Peft;
using Federated.Shared.Protocol;
using Federated.Shared.Tensors;
using TorchSharp;

namespace Federated.Client.Agent;

/// <summary>A round of training with a LoRA adapter on the site's own data, of the task that the plan names.</summary>
/// <remarks>The base model and the tokenised data stay in memory between rounds of runs that share them.</remarks>
public sealed class LocalRound : ILocalRound, IDisposable
{
    private readonly string _data;
    private readonly int _threads;
    private (string Key, PretrainedModel Model)? _model;
    private (string Key, TaskData Data)? _examples;

    /// <summary>
    /// Reads the file once to count and check it, so that a broken line is known before any round starts; of images, every header. Which fields
    /// are needed only a plan can say.
    /// </summary>
    /// <exception cref="DataFormatException">The data is malformed; the message names the line or the image.</exception>
    public LocalRound(string data, int threads)
    {
        (_data, _threads) = (data, threads);
        Examples = ImageSource.Holds(data) ? CheckedImages(data) : TextFiles.Records(data).LongCount();
    }

    /// <inheritdoc/>
    public long Examples { get; }

    /// <inheritdoc/>
    public LocalRoundResult Train(
        RoundPlan plan, string site, RoundFiles files, string updatePath, Action<LocalProgress> progress, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(plan);
        ArgumentNullException.ThrowIfNull(files);
        ArgumentNullException.ThrowIfNull(progress);
        AdapterFit.Check(plan.Adapter, files.GlobalAdapter);
        torch.set_num_threads(_threads);
        ITrainingTask task = TrainingTasks.Of(plan.Training.Objective);
        PretrainedModel model = Model(files.ModelFolder, plan, task);
        TaskData data = Data(files.ModelFolder, plan.Training, task, model.Config, cancellation);
        using AdaptedModel adapted = AdaptedModel.Attach(model, Config(plan.Adapter, task), NamedTensors.FromFile(files.GlobalAdapter));

        EvaluationReport? holdout = data.HoldoutExamples == 0 ? null : task.Evaluate(model, data.Holdout(), cancellation);
        TrainingSummary summary = Trainer(plan, site, adapted, task).Run(
            data.Training(plan.Training.BatchSize, SiteSeed(plan.Seed, site), plan.Training.StepOffset).Take(plan.Training.Steps),
            step => progress(new(step.Step, plan.Training.Steps, step.Loss, step.TokensPerSecond)),
            cancellation);
        adapted.Export().Save(updatePath);
        return new(data.TrainingRecords, new()
        {
            TrainingLoss = summary.MeanLoss,
            HoldoutExamples = data.HoldoutExamples,
            HoldoutLoss = holdout is { Loss: not double.NaN } ? holdout.Loss : 0,
            HoldoutAccuracy = holdout?.Classification?.Accuracy ?? 0,
            Tokens = summary.Tokens,
            Seconds = summary.Elapsed.TotalSeconds,
        });
    }

    /// <inheritdoc/>
    public void Dispose() => _model?.Model.Dispose();

    /// <summary>The LoRA settings of a plan as PEFT names them.</summary>
    internal static LoraConfig Config(AdapterPlan adapter, ITrainingTask task) => new()
    {
        Rank = adapter.Rank,
        Alpha = adapter.Alpha,
        Dropout = adapter.Dropout,
        TargetModules = ModuleSelector.OfNames(adapter.TargetModules),
        ModulesToSave = adapter.ModulesToSave,
        TaskType = task.PeftType,
    };

    /// <summary>A site's own seed: the first 8 bytes of SHA-256(run's seed, site), so that sites draw differently, a retry draws the same, and a round goes on in the epoch where the last one ended.</summary>
    internal static ulong SiteSeed(ulong seed, string site)
    {
        byte[] key = new byte[sizeof(ulong) + Encoding.UTF8.GetByteCount(site)];
        BinaryPrimitives.WriteUInt64LittleEndian(key, seed);
        Encoding.UTF8.GetBytes(site, key.AsSpan(sizeof(ulong)));
        return BinaryPrimitives.ReadUInt64LittleEndian(SHA256.HashData(key));
    }

    private static LocalTrainer Trainer(RoundPlan plan, string site, AdaptedModel adapted, ITrainingTask task)
    {
        TrainingPlan training = plan.Training;
        return new(adapted, task.Objective, new()
        {
            Steps = training.Steps,
            FirstStep = training.StepOffset,
            ScheduleSteps = training.TotalSteps,
            LearningRate = training.LearningRate,
            Schedule = training.Schedule,
            WarmupSteps = training.WarmupSteps,
            WeightDecay = training.WeightDecay,
            ClipNorm = training.ClipNorm > 0 ? training.ClipNorm : null,
            Seed = unchecked((long)SiteSeed(plan.Seed, site)),
        });
    }

    private PretrainedModel Model(string folder, RoundPlan plan, ITrainingTask task)
    {
        // The modules saved whole are the model's own and keep what the last round left: only a plan that brings the same ones may reuse it.
        string key = string.Join('\n', [folder, task.Name, .. plan.Training.Labels, "", .. plan.Adapter.ModulesToSave]);
        if (_model is { } loaded && loaded.Key == key)
            return loaded.Model;

        _model?.Model.Dispose();
        _model = null;
        PretrainedModel model = PretrainedModel.Load(folder, new() { Task = task.Head, Labels = plan.Training.Labels is { Count: > 0 } labels ? labels : null });
        _model = (key, model);
        return model;
    }

    private static long CheckedImages(string data)
    {
        ImageSource images = ImageSource.Open(data);
        for (int i = 0; i < images.Count; i++)
            images.Check(i, label: "", seed: 0);
        return images.Count;
    }

    private TaskData Data(string folder, TrainingPlan training, ITrainingTask task, ModelConfig config, CancellationToken cancellation)
    {
        string key = string.Join('\n', [folder, task.Name, $"{training.MaxTokens}", $"{training.HoldoutShare:R}", .. training.Labels]);
        if (_examples is { } known && known.Key == key)
            return known.Data;

        TaskSource source = config switch
        {
            ImageModelConfig images => new() { Path = _data, Images = ImagePreprocessor.Read(folder, images.Image), MaxTokens = images.Image.Patches + 1 },
            TextModelConfig text when training.MaxTokens > text.MaxPositions =>
                throw new FederatedException(RejectReason.Malformed, $"training.max_tokens is {training.MaxTokens}; the model takes at most {text.MaxPositions}."),
            _ => new()
            {
                Path = _data,
                Tokenizer = TokenizerFolder.Read(folder),
                MaxTokens = training.MaxTokens,
                ChatTemplate = task is InstructionTask ? ChatTemplate.Read(folder) : null,
            },
        };
        TaskData data = task.Read(source with { Labels = training.Labels, HoldoutShare = training.HoldoutShare }, cancellation);
        _examples = (key, data);
        return data;
    }
}
