using System.Text;
using System.Text.Json;
using Federated.Client.Adapters;
using Federated.Client.Agent;
using Federated.Client.Commands;
using Federated.Client.Data.Images;
using Federated.Client.Models;
using Federated.Client.Tests.Commands;
using Federated.Client.Tests.Data;
using Federated.Client.Training;
using Federated.Client.Training.Objectives;
using Federated.Client.Training.Tasks;
using Federated.Shared.Protocol;
using Federated.Shared.Tensors;
using TorchSharp;

namespace Federated.Client.Tests.Training.Tasks;

/// <summary>Image classification from files to scores, on generated digits of ten classes.</summary>
[Collection(nameof(NativeState))]
public sealed class ImageClassificationTaskTests : IDisposable
{
    // Wide initial weights: the frozen layers are random, and have to tell images apart all the same.
    private const string Vit = """ {"architectures": ["ViTForImageClassification"], "model_type": "vit", "image_size": 12, "patch_size": 4, "num_channels": 1, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64, "initializer_range": 0.15, "id2label": {"0": "LABEL_0", "1": "LABEL_1", "2": "LABEL_2", "3": "LABEL_3", "4": "LABEL_4", "5": "LABEL_5", "6": "LABEL_6", "7": "LABEL_7", "8": "LABEL_8", "9": "LABEL_9"}} """;
    private const string Mixer = """ {"architecture": "mixer_s16_224", "num_classes": 10, "model_args": {"num_classes": 10, "img_size": 12, "patch_size": 4, "in_chans": 1, "num_blocks": 2, "embed_dim": 32, "mlp_ratio": [0.5, 2]}} """;
    private static readonly string[] Digits = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(Vit, "query,value,dense", 2e-2)]
    [InlineData(Mixer, "fc1,fc2", 2e-2)]
    public async Task TrainThenEvaluate_LoraOnDigits_LearnsAndAgreesWithItself(string json, string targets, double rate)
    {
        string model = Save(json), data = Images(300, seed: 1), test = Images(100, seed: 2), adapter = Path.Combine(_folder.Path, "adapter");
        (int code, string output, string error) = await CapturedConsole.RunAsync(
            "train", "--model", model, "--data", data, "--target-modules", targets, "--steps", "120", "--batch-size", "18", "--learning-rate", FormattableString.Invariant($"{rate}"),
            "--threads", "1", "--out", adapter, "--json");
        Assert.Equal((ExitCodes.Ok, ""), (code, error));
        TrainingOutput training = JsonSerializer.Deserialize(output, CommandJson.Default.TrainingOutput)!;
        Assert.Equal((KnownObjectives.ImageClassification, 120L * 18, 30L), (training.Objective, training.Tokens, training.HoldoutExamples));

        (code, output, error) = await CapturedConsole.RunAsync("evaluate", "--model", model, "--data", test, "--adapter", adapter, "--by", "folder", "--threads", "1", "--json");
        Assert.Equal((ExitCodes.Ok, ""), (code, error));
        EvaluationScore score = JsonSerializer.Deserialize(output, CommandJson.Default.EvaluationOutput)!.Results.Single();
        Assert.Equal(100, score.Examples);
        Assert.True(score.Accuracy > 0.8 && score.MacroF1 > 0.8, $"{score}");
        Assert.InRange(score.CalibrationError!.Value, 0, 0.3);
        Assert.Equal([("(none)", 50L), ("odd", 50L)], score.Groups!.Select(group => (group.Group!, group.Examples)));
    }

    [Theory]
    [InlineData(Vit)]
    [InlineData(Mixer)]
    public void Adapter_SavedAndLoaded_GivesTheSameLogitsAndAFallingLoss(string json)
    {
        string model = Save(json), adapter = Path.Combine(_folder.Path, "adapter");
        TaskData data = Read(model, Images(100, seed: 1));
        using DisposeScope scope = torch.NewDisposeScope();
        using PretrainedModel trained = PretrainedModel.Load(model, new() { Labels = Digits });
        using AdaptedModel adapted = AdaptedModel.Attach(trained, new Federated.Shared.Peft.LoraConfig
        {
            Rank = 4,
            Alpha = 8,
            TargetModules = Federated.Shared.Peft.ModuleSelector.AllLinear,
            ModulesToSave = [.. trained.Head.Modules.Select(module => module.Name)],
        }, seed: 1);
        LocalTrainer trainer = new(adapted, new ClassificationObjective(), new() { Steps = 60, LearningRate = 1e-2 });
        List<double> losses = [];
        trainer.Run(data.Training(20, seed: 1), step => losses.Add(step.Loss), default);
        Assert.True(losses[^10..].Average() < 0.7 * losses[..10].Average(), string.Join(' ', losses));
        adapted.Save(adapter);

        using PretrainedModel other = PretrainedModel.Load(model, new() { Labels = Digits });
        using AdaptedModel loaded = AdaptedModel.Load(other, adapter);
        TrainingBatch batch = data.All().First();
        trained.eval();
        other.eval();
        Assert.Equal(trained.Logits(batch.Input).Floats(), other.Logits(batch.Input).Floats());
    }

    [Fact]
    public void Read_Idx_GivesTheSameBatchesAsTheFolder()
    {
        string model = Save(Vit);
        byte[][] digits = [.. Enumerable.Range(0, 20).Select(i => TestImages.Digit(i % 10, new(i)))];
        for (int i = 0; i < digits.Length; i++)
        {
            Directory.CreateDirectory(Path.Combine(_folder.Path, "pictures", $"{i % 10}"));
            File.WriteAllBytes(Path.Combine(_folder.Path, "pictures", $"{i % 10}", $"{i:00}.png"), TestImages.Encode(digits[i], 12));
        }

        // In the order of the folder: class by class.
        int[] order = [.. Enumerable.Range(0, 20).OrderBy(i => i % 10)];
        File.WriteAllBytes(Path.Combine(_folder.Path, "images.idx"), TestImages.Idx([.. order.SelectMany(i => digits[i])], 20, 12, 12));
        File.WriteAllBytes(Path.Combine(_folder.Path, "labels.idx"), TestImages.Idx([.. order.Select(i => (byte)(i % 10))], 20));
        TaskData folder = Read(model, Path.Combine(_folder.Path, "pictures"), holdout: 0), idx = Read(model, Path.Combine(_folder.Path, "images.idx"), holdout: 0);
        foreach ((TrainingBatch one, TrainingBatch other) in folder.All().Zip(idx.All()))
        {
            Assert.Equal(((ImageBatch)one.Input).Pixels.Span, ((ImageBatch)other.Input).Pixels.Span);
            Assert.Equal(one.ClassLabels, other.ClassLabels);
        }

        // ViTImageProcessor's defaults: (value / 255 - 0.5) / 0.5.
        float first = ((ImageBatch)idx.Training(20, seed: 1).First().Input).Pixels.Span[0];
        Assert.InRange(first, -1, 1);
    }

    [Fact]
    public void Read_UnknownClass_NamesTheImage()
    {
        string model = Save(Vit), data = Images(20, seed: 1);
        Directory.Move(Path.Combine(data, "3"), Path.Combine(data, "drei"));
        Assert.Contains("drei", Assert.Throws<Client.Data.DataFormatException>(() => Read(model, data)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Train_ModelAndDataThatDoNotFit_SaysSo()
    {
        string model = Save(Vit), text = _folder.Write("a.jsonl", """{"text":"a","label":"x"}""");
        (int code, _, string error) = await CapturedConsole.RunAsync("train", "--model", model, "--data", text, "--objective", "image-classification", "--out", Path.Combine(_folder.Path, "out"));
        Assert.Equal(ExitCodes.BadData, code);
        Assert.Contains("no folder of images and no IDX file", error, StringComparison.Ordinal);
        (code, _, error) = await CapturedConsole.RunAsync("train", "--model", model, "--data", text, "--out", Path.Combine(_folder.Path, "out"));
        Assert.Equal(ExitCodes.BadData, code);
        Assert.Contains("which reads images", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Train_RoundOfImages_FollowsThePlan()
    {
        string model = Save(Vit), data = Images(60, seed: 1), global = Path.Combine(_folder.Path, "global.safetensors"), update = Path.Combine(_folder.Path, "update");
        RoundPlan plan = Plan();
        PlanCheck.Validate(plan);
        ITrainingTask task = TrainingTasks.Of(plan.Training.Objective);
        using (PretrainedModel loaded = PretrainedModel.Load(model, new() { Task = task.Head, Labels = Digits }))
        using (AdaptedModel adapted = AdaptedModel.Attach(loaded, LocalRound.Config(plan.Adapter, task), seed: 3))
            adapted.Export().Save(global);

        using LocalRound local = new(data, threads: 1);
        LocalRoundResult result = local.Train(plan, "ward-7", new(model, global), update, _ => { }, default);
        Assert.Equal((60L, 50L, 10L), (local.Examples, result.Examples, result.Metrics.HoldoutExamples));
        Assert.Equal(3 * 10, result.Metrics.Tokens);
        Assert.InRange(result.Metrics.HoldoutLoss, 0.1, 20);
        NamedTensors start = NamedTensors.FromFile(global), end = NamedTensors.FromFile(update);
        Assert.Equal(start.Names, end.Names);
        Assert.False(start.ContentEquals(end));
    }

    private static RoundPlan Plan()
    {
        BlobReference blob = new() { Sha256 = new byte[ContentHash.Size], Length = 1 };
        return new()
        {
            Run = "digits",
            Round = 1,
            Attempt = 1,
            Method = "lora-fair",
            Model = [new() { Name = "model.safetensors", Content = blob }],
            Global = blob,
            Adapter = new() { Rank = 2, Alpha = 4, Dropout = 0, TargetModules = ["query"], ModulesToSave = ["classifier"] },
            Training = new()
            {
                Objective = KnownObjectives.ImageClassification,
                Labels = Digits,
                Steps = 3,
                StepOffset = 0,
                TotalSteps = 6,
                WarmupSteps = 0,
                Schedule = "cosine",
                LearningRate = 0.01,
                BatchSize = 10,
                MaxTokens = 2,
                WeightDecay = 0,
                ClipNorm = 0,
                HoldoutShare = 0.2,
            },
            Seed = 1,
            NormCap = 0,
        };
    }

    private static TaskData Read(string model, string data, double holdout = 0.1)
    {
        ImageSize size = new(1, 12, 12, 4, 4);
        return new ImageClassificationTask().Read(
            new() { Path = data, Images = ImagePreprocessor.Read(model, size), Labels = Digits, MaxTokens = 10, HoldoutShare = holdout }, default);
    }

    private string Images(int count, int seed)
    {
        string folder = Path.Combine(_folder.Path, $"images-{seed}");
        TestImages.WriteDigits(folder, count, seed);
        return folder;
    }

    private string Save(string json)
    {
        string folder = Path.Combine(_folder.Path, "model");
        ConfigReader reader = ConfigReader.Parse("config.json", Encoding.UTF8.GetBytes(json));
        ModelConfig config = Architectures.Of(reader).Read(reader, ModelTask.ImageClassification);
        reader.ThrowIfRejected();
        using PretrainedModel model = PretrainedModel.Create(config, seed: 2);
        model.Save(folder);
        return folder;
    }
}
