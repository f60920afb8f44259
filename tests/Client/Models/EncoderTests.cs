using System.Text;
using System.Text.Json.Nodes;
using Federated.Client.Models;
using Federated.Client.Tests.Fixtures;
using TorchSharp;
using static TorchSharp.torch;

namespace Federated.Client.Tests.Models;

/// <summary>What every encoder of text does alike: rows of any length, folders, and new heads.</summary>
public sealed class EncoderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly DisposeScope _scope = NewDisposeScope();
    private readonly IDisposable _noGradients = no_grad();

    public static TheoryData<string> Classes =>
    [
        "BertForSequenceClassification", "BertForMaskedLM", "RobertaForSequenceClassification", "RobertaForMaskedLM",
        "DistilBertForSequenceClassification", "DistilBertForMaskedLM",
    ];

    public void Dispose()
    {
        _noGradients.Dispose();
        _scope.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [MemberData(nameof(Classes))]
    public void Packed_RaggedRows_GiveWhatPaddedRowsGive(string name)
    {
        using PretrainedModel model = Create(name);
        ReadOnlyMemory<int>[] sequences = [new[] { 5, 6, 7, 8, 9 }, new[] { 10 }, new[] { 11, 12, 13 }];
        SequenceBatch packed = SequenceBatch.Packed(sequences), padded = SequenceBatch.Padded(sequences, model.TextConfig.PadTokenId!.Value);
        if (name.StartsWith("Bert", StringComparison.Ordinal))
            (packed, padded) = (packed.WithTokenTypes([0, 0, 1, 1, 1, 0, 0, 1, 1]), padded.WithTokenTypes([0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0]));

        Tensor expected = model.Logits(padded);
        if (model.Config.Task == ModelTask.MaskedLanguageModel)
            expected = expected.index_select(0, tensor(new long[] { 0, 1, 2, 3, 4, 5, 10, 11, 12 }, [9]));
        Near.Equal(expected.Floats(), model.Logits(packed).Floats(), 1e-5, name, 1e-5);
    }

    [Theory]
    [MemberData(nameof(Classes))]
    public void SaveAndLoad_GivesTheSameLogits(string name)
    {
        SequenceBatch batch = SequenceBatch.Packed([new[] { 5, 6, 7 }, new[] { 8, 9 }]);
        using PretrainedModel model = Create(name);
        model.Save(_folder.Path);
        using PretrainedModel loaded = PretrainedModel.Load(_folder.Path);
        Assert.Equal(name, loaded.Config.ClassName);
        Assert.Equal(model.Logits(batch).Floats(), loaded.Logits(batch).Floats());
    }

    [Theory]
    [InlineData("BertForMaskedLM", "bert.pooler.dense.weight")]
    [InlineData("RobertaForMaskedLM", "classifier.dense.weight")]
    [InlineData("DistilBertForMaskedLM", "pre_classifier.weight")]
    public void Load_MaskedModelAsClassifier_DrawsTheHeadAndKeepsTheRest(string name, string drawn)
    {
        using PretrainedModel model = Create(name);
        model.Save(_folder.Path);
        ModelLoadOptions options = new() { Task = ModelTask.SequenceClassification, Labels = ["a", "b", "c"], HeadSeed = 3 };
        using PretrainedModel first = PretrainedModel.Load(_folder.Path, options), again = PretrainedModel.Load(_folder.Path, options);
        using PretrainedModel other = PretrainedModel.Load(_folder.Path, options with { HeadSeed = 4 });

        Assert.Equal(model.Backbone.TokenTable!.Floats(), first.Backbone.TokenTable!.Floats());
        Assert.Equal(Weight(first, drawn), Weight(again, drawn));
        Assert.NotEqual(Weight(first, drawn), Weight(other, drawn));
        Assert.Equal([1, 3], first.Logits(SequenceBatch.Packed([new[] { 5, 6 }])).shape);
    }

    [Theory]
    [MemberData(nameof(Classes))]
    public void Logits_InTraining_DropAsTheConfigurationSays(string name)
    {
        SequenceBatch batch = SequenceBatch.Packed([new[] { 5, 6, 7 }, new[] { 8, 9 }]);
        string none = """{"hidden_dropout_prob": 0, "attention_probs_dropout_prob": 0, "dropout": 0, "attention_dropout": 0, "seq_classif_dropout": 0}""";
        using PretrainedModel dry = Create(name, none);
        float[] evaluated = dry.Logits(batch).Floats().ToArray();
        dry.train();
        Assert.Equal(evaluated, dry.Logits(batch).Floats());
        foreach (string key in name.StartsWith("Distil", StringComparison.Ordinal) ? ["dropout", "attention_dropout"] : (string[])["hidden_dropout_prob", "attention_probs_dropout_prob"])
        {
            using PretrainedModel model = Create(name, none.Replace($"\"{key}\": 0", $"\"{key}\": 0.5", StringComparison.Ordinal));
            Assert.Equal(evaluated, model.Logits(batch).Floats());
            model.train();
            Assert.NotEqual(evaluated, model.Logits(batch).Floats().ToArray());
        }
    }

    [Fact]
    public void Encode_RowLongerThanTheTableOfPositions_IsRefused()
    {
        using PretrainedModel model = Create("RobertaForMaskedLM");
        model.Encode(SequenceBatch.Packed([Enumerable.Repeat(5, 14).ToArray()]));
        ArgumentException error = Assert.Throws<ArgumentException>(() => model.Encode(SequenceBatch.Packed([Enumerable.Repeat(5, 15).ToArray()])));
        Assert.Contains("position 16; the model has a table of 16", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Encode_TokenTypeTheModelLacks_IsRefused()
    {
        using PretrainedModel model = Create("BertForMaskedLM");
        ArgumentException error = Assert.Throws<ArgumentException>(() => model.Encode(SequenceBatch.Packed([new[] { 5, 6 }]).WithTokenTypes([0, 2])));
        Assert.Contains("Token type 2 is outside the model's 2", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"position_embedding_type": "relative_key"}""", "position_embedding_type: 'relative_key'")]
    [InlineData("""{"is_decoder": true}""", "is_decoder")]
    [InlineData("""{"num_attention_heads": 5}""", "num_attention_heads: 5 does not divide")]
    [InlineData("""{"hidden_act": "mish"}""", "hidden_act: 'mish'")]
    [InlineData("""{"tie_word_embeddings": false}""", "tie_word_embeddings")]
    public void Read_WhatIsNotSupported_IsNamed(string change, string message) =>
        Assert.Contains(message, Assert.Throws<CheckpointException>(() => Create("BertForMaskedLM", change)).Message, StringComparison.Ordinal);

    private static float[] Weight(PretrainedModel model, string name) => model.Parameters.Single(parameter => parameter.Name == name).Value.Floats().ToArray();

    private static PretrainedModel Create(string name, string change = "{}")
    {
        string type = name[..name.IndexOf("For", StringComparison.Ordinal)].ToLowerInvariant();
        string sizes = type == "distilbert"
            ? """ "dim": 8, "n_layers": 2, "n_heads": 2, "hidden_dim": 12 """
            : """ "hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 12 """;
        JsonObject json = JsonNode.Parse($$""" {"architectures": ["{{name}}"], "model_type": "{{type}}", "vocab_size": 20, "max_position_embeddings": 16, "initializer_range": 0.3, {{sizes}} } """)!.AsObject();
        foreach ((string key, JsonNode? value) in JsonNode.Parse(change)!.AsObject())
            json[key] = value?.DeepClone();
        ConfigReader reader = ConfigReader.Parse("config.json", Encoding.UTF8.GetBytes(json.ToJsonString()));
        Architecture architecture = Architectures.Of(reader);
        ModelConfig config = architecture.Read(reader, architecture.Classes[name]);
        reader.ThrowIfRejected();
        return PretrainedModel.Create(config, seed: 2);
    }
}
