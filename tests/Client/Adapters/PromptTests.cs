using Federated.Client.Adapters;
using Federated.Client.Models;
using Federated.Client.Tests.Fixtures;
using Federated.Client.Tests.Models;
using Federated.Client.Tests.Training;
using Federated.Client.Tokenizers;
using Federated.Client.Tokenizers.Files;
using Federated.Client.Training;
using Federated.Client.Training.Objectives;
using Federated.Shared.Peft;
using Federated.Shared.Tensors;
using Federated.Tests.Support;
using TorchSharp;
using static TorchSharp.torch;

namespace Federated.Client.Tests.Adapters;

/// <summary>Adapters that stand before the text.</summary>
[Collection(nameof(NativeState))]
public sealed class PromptTests : IDisposable
{
    private const int Count = 3;

    private static readonly IReadOnlyList<ReadOnlyMemory<int>> Texts = TinyLlama.Sequences(5, 4, 9, shortest: 2);

    private readonly PretrainedModel _model = PretrainedModel.Create(TinyLlama.Config(), 1);

    public static TheoryData<string> Kinds => [.. Configs.Keys];

    private static Dictionary<string, PeftConfig> Configs { get; } = new(StringComparer.Ordinal)
    {
        ["prompt"] = new PromptTuningConfig { VirtualTokens = Count },
        ["p-tuning"] = new PTuningConfig { VirtualTokens = Count, EncoderHiddenSize = 10 },
        ["prefix"] = new PrefixTuningConfig { VirtualTokens = Count },
        ["prefix with a network"] = new PrefixTuningConfig { VirtualTokens = Count, PrefixProjection = true, EncoderHiddenSize = 7 },
    };

    public void Dispose() => _model.Dispose();

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Logits_PackedOrPadded_AreTheSame(string kind)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable _ = no_grad();
        using AdaptedModel adapted = AdaptedModel.Attach(_model, Configs[kind], 3);
        int before = _model.Prompt is null ? 0 : Count, width = before + Texts.Max(text => text.Length);
        float[] packed = _model.Logits(SequenceBatch.Packed(Texts)).Floats().ToArray(), padded = _model.Logits(SequenceBatch.Padded(Texts, 0)).Floats().ToArray();
        int start = 0;
        for (int row = 0; row < Texts.Count; row++)
        {
            int length = (before + Texts[row].Length) * TinyLlama.Vocabulary;
            Near.Equal(packed.AsSpan(start, length), padded.AsSpan(row * width * TinyLlama.Vocabulary, length), 1e-4, $"row {row}");
            start += length;
        }

        Assert.Equal(packed.Length, start);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Train_TheAdapter_LowersTheLossAndLeavesTheBaseAsItWas(string kind)
    {
        float[][] before = [.. _model.Parameters.Select(parameter => parameter.Value.Floats().ToArray())];
        TrainingBatch batch = TrainingBatch.ForLanguageModel(Texts);
        using (AdaptedModel adapted = AdaptedModel.Attach(_model, Configs[kind], 3))
        {
            double start = Evaluator.LanguageModel(_model, [batch]).Loss;
            new LocalTrainer(adapted, new CausalLanguageModelObjective(), new() { Steps = 30, LearningRate = 0.05 }).Run(Enumerable.Repeat(batch, 30));
            Assert.True(Evaluator.LanguageModel(_model, [batch]).Loss < start - 0.1);
        }

        Assert.All(_model.Parameters.Zip(before), pair => Assert.True(pair.First.Value.Floats().SequenceEqual(pair.Second), pair.First.Name));
        Assert.True(_model.Prompt is null && _model.Prefix is null);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Load_WhatSaveWrote_ReadsTheRowsThatTheNetworkLeft(string kind)
    {
        using TemporaryFolder folder = new();
        using DisposeScope scope = NewDisposeScope();
        using IDisposable _ = no_grad();
        float[] expected;
        using (AdaptedModel adapted = AdaptedModel.Attach(_model, Configs[kind], 3))
        {
            expected = _model.Logits(SequenceBatch.Packed(Texts)).Floats().ToArray();
            adapted.Save(folder.Path);
            Assert.Equal(["prompt_embeddings"], adapted.Export().Names);
        }

        using AdaptedModel loaded = AdaptedModel.Load(_model, folder.Path);
        Near.Equal(expected, _model.Logits(SequenceBatch.Packed(Texts)).Floats(), 1e-5, "logits");
        Assert.Equal(["prompt_embeddings"], loaded.Trainable.Select(trained => trained.Name));
        // What a new adapter took from the model stands in the file, where PEFT looks for it.
        Assert.NotNull(((PromptLearningConfig)loaded.Config).TokenDim);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Encode_TokenByTokenBesideACache_GivesTheLogitsOfOnePass(string kind)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable _ = no_grad();
        using AdaptedModel adapted = AdaptedModel.Attach(_model, Configs[kind], 3);
        int[] text = Texts.MaxBy(text => text.Length).ToArray();
        float[] whole = _model.Logits(SequenceBatch.Packed([text])).Floats()[^TinyLlama.Vocabulary..].ToArray();
        using KeyValueCache cache = new();
        Tensor last = _model.Encode(SequenceBatch.Packed([text.AsMemory(0, 2)]), new() { Cache = cache });
        foreach (int token in text[2..])
            last = _model.Encode(SequenceBatch.Packed([new[] { token }]), new() { Cache = cache });
        Near.Equal(whole, _model.Head.Logits(last).Floats()[^TinyLlama.Vocabulary..], 1e-4, "logits");
    }

    [Fact]
    public void For_LanguageModelBatch_LearnsEveryRowsFirstTokenToo()
    {
        using AdaptedModel adapted = AdaptedModel.Attach(_model, Configs["prompt"], 3);
        TrainingBatch batch = TrainingBatch.ForLanguageModel(Texts), read = batch.For(_model);
        CausalLanguageModelObjective objective = new();
        Assert.Equal(objective.Terms(batch) + Texts.Count, objective.Terms(read));
        Assert.Same(read, read.For(_model));
        Assert.Equal([-100, -100, -100, Texts[0].Span[0]], read.TokenLabels![..(Count + 1)]);
        Assert.Equal([0, 1, 2, 3, 4], read.Tokens.Positions[..5].ToArray());
    }

    [Fact]
    public void Encode_WantedPositions_AreThoseOfTheTextThatWasGiven()
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable _ = no_grad();
        using AdaptedModel adapted = AdaptedModel.Attach(_model, Configs["prompt"], 3);
        SequenceBatch batch = SequenceBatch.Packed(Texts);
        long[] all = [.. Enumerable.Range(0, batch.Count).Select(i => (long)i)];
        Tensor everything = _model.Encode(batch), wanted = _model.Encode(batch, new() { Positions = all });
        ReadOnlySpan<int> offsets = batch.Offsets.Span;
        for (int row = 0; row < batch.Rows; row++)
        {
            int length = offsets[row + 1] - offsets[row];
            Near.Equal(everything.narrow(0, offsets[row] + ((row + 1) * Count), length).contiguous().Floats(), wanted.narrow(0, offsets[row], length).contiguous().Floats(), 1e-5, $"row {row}");
        }
    }

    [Fact]
    public void Attach_ClassificationPrompt_StoresTheHeadAsPeftNamesIt()
    {
        using PretrainedModel model = PretrainedModel.Create(TinyLlama.Config(ModelTask.SequenceClassification), 1);
        using AdaptedModel adapted = AdaptedModel.Attach(model, new PromptTuningConfig { VirtualTokens = Count, TaskType = "SEQ_CLS" }, 3);
        Assert.Equal(["base_model.score.weight", "prompt_embeddings"], adapted.Export().Names.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Attach_StartFromTheVocabulary_TakesRowsOfTheTable()
    {
        using AdaptedModel adapted = AdaptedModel.Attach(_model, new PromptTuningConfig { VirtualTokens = 5, Start = PromptStart.SampleVocabulary }, 3);
        float[] table = _model.Backbone.TokenTable!.Floats().ToArray(), rows = adapted.Export()["prompt_embeddings"];
        for (int row = 0; row < 5; row++)
            Assert.Contains(Enumerable.Range(0, TinyLlama.Vocabulary), id => table.AsSpan(id * 24, 24).SequenceEqual(rows.AsSpan(row * 24, 24)));
    }

    [Fact]
    public void Attach_StartFromAText_RepeatsItsTokensRows()
    {
        string folder = Path.Combine(Repository.Fixtures, "tok-gpt2");
        Tokenizer tokenizer = TokenizerFolder.Read(folder);
        List<int> ids = [];
        tokenizer.Encode("good or bad", ids);
        using PretrainedModel model = PretrainedModel.Create(TinyLlama.Config() with { VocabularySize = tokenizer.VocabularySize }, 1);
        PromptTuningConfig config = new() { VirtualTokens = ids.Count + 1, Start = PromptStart.Text, StartText = "good or bad", Tokenizer = folder };
        using AdaptedModel adapted = AdaptedModel.Attach(model, config, 3);
        float[] rows = adapted.Export()["prompt_embeddings"];
        for (int row = 0; row <= ids.Count; row++)
            Assert.True(model.Backbone.TokenTable!.Floats().Slice(ids[row % ids.Count] * 24, 24).SequenceEqual(rows.AsSpan(row * 24, 24)), $"row {row}");

        PeftFormatException error = Assert.Throws<PeftFormatException>(() => AdaptedModel.Attach(_model, config, 3));
        Assert.Contains($"of a vocabulary of {TinyLlama.Vocabulary}", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Attach_WhatDoesNotFit_SaysWhat()
    {
        void Refused(PeftConfig config, string expected) => Assert.Contains(expected, Assert.Throws<PeftFormatException>(() => AdaptedModel.Attach(_model, config, 1)).Message, StringComparison.Ordinal);
        Refused(new PromptTuningConfig { TokenDim = 25 }, "token_dim is 25");
        Refused(new PrefixTuningConfig { Layers = 3, TokenDim = 24 }, "num_layers is 3, the keys of this LlamaForCausalLM have 2; token_dim is 24, the keys of this LlamaForCausalLM have 12");
        Refused(new PTuningConfig { Encoder = PromptEncoderKind.Lstm }, "LSTM");
        Refused(new PromptTuningConfig { Start = PromptStart.Text }, "prompt_tuning_init_text");
        NamedTensors wrong = new();
        wrong.Add("prompt_embeddings", [4, 24], new float[96]);
        Assert.Contains("wrong shape: prompt_embeddings", Assert.Throws<PeftFormatException>(() => AdaptedModel.Attach(_model, Configs["prompt"], wrong)).Message, StringComparison.Ordinal);
        using AdaptedModel adapted = AdaptedModel.Attach(_model, Configs["prompt"], 1);
        Assert.Throws<InvalidOperationException>(() => AdaptedModel.Attach(_model, Configs["prefix"], 1));
        Assert.Throws<InvalidOperationException>(adapted.Merge);
    }
}
