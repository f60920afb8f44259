using System.Text;
using System.Text.Json.Nodes;
using Federated.Client.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace Federated.Client.Tests.Models;

/// <summary>ViT and MLP-Mixer: folders, sizes, and what is refused.</summary>
public sealed class ImageModelTests : IDisposable
{
    private const string Vit = """ {"architectures": ["ViTForImageClassification"], "model_type": "vit", "image_size": [4, 6], "patch_size": 2, "num_channels": 2, "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 12, "qkv_bias": false, "id2label": {"0": "a", "1": "b"}} """;
    private const string Mixer = """ {"architecture": "mixer_s16_224", "label_names": ["a", "b"], "model_args": {"num_classes": 2, "img_size": [4, 6], "patch_size": 2, "in_chans": 2, "num_blocks": 2, "embed_dim": 8, "mlp_ratio": [0.75, 2]}} """;
    private readonly TemporaryFolder _folder = new();
    private readonly DisposeScope _scope = NewDisposeScope();
    private readonly IDisposable _noGradients = no_grad();

    public static TheoryData<string> Configurations => [Vit, Mixer];

    public void Dispose()
    {
        _noGradients.Dispose();
        _scope.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [MemberData(nameof(Configurations))]
    public void SaveAndLoad_GivesTheSameLogitsAndLabels(string json)
    {
        using PretrainedModel model = Create(json);
        model.Save(_folder.Path);
        using PretrainedModel loaded = PretrainedModel.Load(_folder.Path);
        Assert.Equal(["a", "b"], loaded.Config.Labels);
        Tensor logits = model.Logits(Images(3, 2, 4, 6));
        Assert.Equal([3, 2], logits.shape);
        Assert.Equal(logits.Floats(), loaded.Logits(Images(3, 2, 4, 6)).Floats());
    }

    [Theory]
    [MemberData(nameof(Configurations))]
    public void Logits_EachImage_StandsAlone(string json)
    {
        using PretrainedModel model = Create(json);
        float[] pixels = Images(2, 2, 4, 6).Pixels.ToArray(), second = pixels[(pixels.Length / 2)..];
        Fixtures.Near.Equal(model.Logits(new ImageBatch(pixels, 2, 2, 4, 6)).Floats()[2..], model.Logits(new ImageBatch(second, 1, 2, 4, 6)).Floats(), 1e-5, "logits", 1e-5);
    }

    [Theory]
    [MemberData(nameof(Configurations))]
    public void Logits_ImagesOfAnotherSize_AreRefused(string json)
    {
        using PretrainedModel model = Create(json);
        ArgumentException error = Assert.Throws<ArgumentException>(() => model.Logits(Images(1, 2, 6, 4)));
        Assert.Contains("2 x 6 x 4 for a model made for 2 x 4 x 6", error.Message, StringComparison.Ordinal);
        Assert.Contains(nameof(SequenceBatch), Assert.Throws<ArgumentException>(() => model.Logits(SequenceBatch.Packed([new[] { 1 }]))).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Vit, """{"patch_size": 4}""", "patch_size: patches of 4 x 4 do not divide images of 4 x 6")]
    [InlineData(Vit, """{"image_size": [4, 6, 8]}""", "image_size: expected one integer or two, got 3")]
    [InlineData(Vit, """{"num_attention_heads": 3}""", "num_attention_heads: 3 does not divide")]
    [InlineData(Vit, """{"image_size": 16384, "patch_size": 1}""", "patches an image are more than")]
    [InlineData(Mixer, """{"architecture": "mixer_z9_224"}""", "model_type is missing")]
    [InlineData(Mixer, """{"label_names": ["a"]}""", "label_names: 1 names for num_classes 2")]
    [InlineData(Mixer, """{"model_args": {"num_classes": 2, "stem_norm": true, "act_layer": "relu", "global_pool": "max"}}""", "model_args.act_layer: not supported")]
    [InlineData(Mixer, """{"model_args": {"num_classes": 2, "embed_dim": 1}}""", "mlp_ratio: layers of inner widths 0 and 4")]
    public void Read_WhatIsNotSupported_IsNamed(string json, string change, string message) =>
        Assert.Contains(message, Assert.Throws<CheckpointException>(() => Create(json, change)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("hidden_dropout_prob")]
    [InlineData("attention_probs_dropout_prob")]
    public void Logits_InTraining_DropAsTheConfigurationSays(string key)
    {
        using PretrainedModel dry = Create(Vit), model = Create(Vit, $$"""{"{{key}}": 0.5}""");
        float[] evaluated = dry.Logits(Images(2, 2, 4, 6)).Floats().ToArray();
        Assert.Equal(evaluated, model.Logits(Images(2, 2, 4, 6)).Floats());
        dry.train();
        model.train();
        Assert.Equal(evaluated, dry.Logits(Images(2, 2, 4, 6)).Floats());
        Assert.NotEqual(evaluated, model.Logits(Images(2, 2, 4, 6)).Floats().ToArray());
    }

    [Fact]
    public void ImageBatch_WrongNumberOfPixels_IsRefused() =>
        Assert.Contains("11 numbers for 1 images of 1 x 3 x 4", Assert.Throws<ArgumentException>(() => new ImageBatch(new float[11], 1, 1, 3, 4)).Message, StringComparison.Ordinal);

    private static ImageBatch Images(int rows, int channels, int height, int width)
    {
        Random random = new(rows);
        return new([.. Enumerable.Range(0, rows * channels * height * width).Select(_ => random.NextSingle() - 0.5f)], rows, channels, height, width);
    }

    private static PretrainedModel Create(string json, string change = "{}")
    {
        JsonObject config = JsonNode.Parse(json)!.AsObject();
        foreach ((string key, JsonNode? value) in JsonNode.Parse(change)!.AsObject())
            config[key] = value?.DeepClone();
        ConfigReader reader = ConfigReader.Parse("config.json", Encoding.UTF8.GetBytes(config.ToJsonString()));
        ModelConfig read = Architectures.Of(reader).Read(reader, ModelTask.ImageClassification);
        reader.ThrowIfRejected();
        return PretrainedModel.Create(read, seed: 2);
    }
}
