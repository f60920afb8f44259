using System.Text.Json.Nodes;
using Federated.Client.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace Federated.Client.Tests.Models;

/// <summary>Every decoder's configuration is read as it was written, says how large the model is, and names what is not supported.</summary>
public sealed class DecoderConfigTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string, ModelTask> Models => TinyDecoders.With(ModelTask.CausalLanguageModel, ModelTask.SequenceClassification);

    private string ConfigFile => Path.Combine(_folder.Path, "config.json");

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Models))]
    public void SaveAndLoad_EveryOption_GivesTheSameModel(string decoder, ModelTask task)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable _ = no_grad();
        using PretrainedModel saved = PretrainedModel.Create(TinyDecoders.Config(decoder, task), 1);
        saved.Save(_folder.Path);
        using PretrainedModel loaded = PretrainedModel.Load(_folder.Path);
        Assert.Equal(saved.TextConfig.EosTokenIds, loaded.TextConfig.EosTokenIds);
        Assert.Equal(WithoutLists(saved.TextConfig), WithoutLists(loaded.TextConfig));
        SequenceBatch batch = SequenceBatch.Packed(TinyLlama.Sequences(2, 3, 12));
        Assert.Equal(saved.Logits(batch).Floats(), loaded.Logits(batch).Floats());
        HashSet<string> head = [.. saved.Head.Modules.Select(module => module.Name)];
        Assert.Equal(saved.Config.BackboneParameters, saved.Parameters.Where(parameter => !head.Contains(parameter.Name.Split('.')[0])).Sum(parameter => parameter.Value.numel()));
    }

    [Theory]
    [InlineData("gpt2", "add_cross_attention", "true", "add_cross_attention: attention to an encoder")]
    [InlineData("gpt2", "activation_function", "\"geglu\"", "activation_function: 'geglu' is not supported; supported: gelu, ")]
    [InlineData("gpt2", "n_head", "5", "n_embd: 24 is no multiple of n_head (5)")]
    [InlineData("gpt2", "scale_attn_weights", "1", "scale_attn_weights: expected true or false, got 1")]
    [InlineData("gpt2", "attn_pdrop", "1.5", "attn_pdrop: expected a number from 0 to 1")]
    [InlineData("gptneox", "rotary_pct", "0.4", "rotary_pct: rotary embedding turns pairs: 0.4 of a head of 8 is 3")]
    [InlineData("gptneox", "num_attention_heads", "5", "hidden_size: 24 is no multiple of num_attention_heads (5)")]
    [InlineData("gptneox", "hidden_act", "\"geglu\"", "hidden_act: 'geglu'")]
    [InlineData("phi", "num_key_value_heads", "3", "num_key_value_heads: 3 does not divide num_attention_heads (4)")]
    [InlineData("phi", "partial_rotary_factor", "0.1", "partial_rotary_factor: rotary embedding turns pairs: 0.1 of a head of 6 is 0")]
    [InlineData("phi", "eos_token_id", "[1, 99]", "eos_token_id: expected integers from 0 to 36, got [1,99]")]
    [InlineData("mistral, window of 3", "sliding_window", "0", "sliding_window: expected an integer from 1 ")]
    [InlineData("qwen2, window of 2 in the upper layer", "layer_types", "[\"sliding_attention\", \"full_attention\"]", "layer_types: expected 'full_attention' below layer 1")]
    [InlineData("llama", "pretraining_tp", "2", "pretraining_tp: tensor-parallel")]
    [InlineData("llama", "head_dim", "7", "partial_rotary_factor: rotary embedding turns pairs: 1 of a head of 7 is 7")]
    [InlineData("llama", "rope_scaling", "{\"rope_type\": \"longrope\", \"factor\": 2}", "rope_scaling.rope_type: 'longrope' is not supported; supported: default, linear, dynamic, llama3, yarn")]
    [InlineData("llama", "rope_scaling", "{\"type\": \"linear\"}", "rope_scaling.factor: missing")]
    [InlineData("llama", "rope_scaling", "{\"type\": \"dynamic\", \"factor\": 0.5}", "rope_scaling.factor: expected a number from 1 ")]
    [InlineData("llama", "rope_scaling", "{\"rope_type\": \"llama3\", \"factor\": 2, \"low_freq_factor\": 4, \"high_freq_factor\": 1, \"original_max_position_embeddings\": 8}", "rope_scaling.high_freq_factor: 1 is not larger")]
    [InlineData("llama", "rope_parameters", "{\"full_attention\": {\"rope_theta\": 1}}", "rope_parameters.full_attention: rotary positions of their own for some layers")]
    public void Load_WhatIsNotSupported_IsRefusedByItsKey(string decoder, string key, string value, string expected)
    {
        using (PretrainedModel model = PretrainedModel.Create(TinyDecoders.Config(decoder), 1))
            model.Save(_folder.Path);
        Edit(key, JsonNode.Parse(value));
        Assert.Contains(expected, Assert.Throws<CheckpointException>(() => PretrainedModel.Load(_folder.Path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_BothFormsOfRotaryPositions_IsRefused()
    {
        using (PretrainedModel model = PretrainedModel.Create(TinyLlama.Config(), 1))
            model.Save(_folder.Path);
        Edit("rope_scaling", new JsonObject { ["type"] = "linear", ["factor"] = 2 });
        Edit("rope_parameters", new JsonObject { ["rope_type"] = "default", ["rope_theta"] = 7 });
        Assert.Contains("keep one of the two", Assert.Throws<CheckpointException>(() => PretrainedModel.Load(_folder.Path)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("null", null)]
    [InlineData(null, 4096)]
    [InlineData("5", 5)]
    public void Mistral_Window_IsNullOrAbsentAsTransformersHasIt(string? value, int? window)
    {
        MistralConfig config = (MistralConfig)Read("mistral, window of 3", node =>
        {
            node.Remove("sliding_window");
            if (value is not null)
                node["sliding_window"] = JsonNode.Parse(value);
        });
        Assert.Equal(window, config.SlidingWindow);
        Assert.Equal(window, config.Window(1));
    }

    [Theory]
    [InlineData(false, 1, null, null)]
    [InlineData(true, 0, 2, 2)]
    [InlineData(true, 1, null, 2)]
    [InlineData(true, 2, null, null)]
    public void Qwen2_Window_IsThatOfTheUpperLayersIfAskedFor(bool use, int first, int? lower, int? upper)
    {
        Qwen2Config config = (Qwen2Config)Read("qwen2, window of 2 in the upper layer", node => (node["use_sliding_window"], node["max_window_layers"]) = (use, first));
        Assert.Equal([lower, upper], [config.Window(0), config.Window(1)]);
    }

    [Fact]
    public void Llama_SeveralEndTokens_AreKept() =>
        Assert.Equal([7, 9], Read("llama", node => node["eos_token_id"] = new JsonArray(7, 9)).EosTokenIds);

    [Theory]
    [InlineData("llama", "attention_dropout")]
    [InlineData("mistral, no window", "attention_dropout")]
    [InlineData("qwen2", "attention_dropout")]
    [InlineData("gpt2", "embd_pdrop")]
    [InlineData("gpt2", "attn_pdrop")]
    [InlineData("gpt2", "resid_pdrop")]
    [InlineData("gptneox", "attention_dropout")]
    [InlineData("gptneox", "hidden_dropout")]
    [InlineData("phi", "embd_pdrop")]
    [InlineData("phi", "attention_dropout")]
    [InlineData("phi", "resid_pdrop")]
    public void Dropout_InTraining_ChangesTheNumbersByTheSeedAndOnlyThere(string decoder, string key)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable _ = no_grad();
        using PretrainedModel dropping = PretrainedModel.Create(Read(decoder, node => node[key] = 0.3), 1), plain = PretrainedModel.Create(Read(decoder, node => node[key] = 0), 1);
        SequenceBatch batch = SequenceBatch.Packed(TinyLlama.Sequences(2, 3, 12));
        float[] expected = plain.Logits(batch).Floats().ToArray();
        Assert.Equal(expected, dropping.Logits(batch).Floats());
        plain.train();
        dropping.train();
        float[] first = Logits(7);
        Assert.Equal(expected, plain.Logits(batch).Floats());
        Assert.NotEqual(expected, first);
        Assert.Equal(first, Logits(7));
        Assert.NotEqual(first, Logits(8));

        float[] Logits(long seed)
        {
            manual_seed(seed);
            return dropping.Logits(batch).Floats().ToArray();
        }
    }

    [Fact]
    public void Gpt2_TextBeyondTheLearnedPositions_IsRefused()
    {
        using PretrainedModel model = PretrainedModel.Create(TinyDecoders.Config("gpt2"), 1);
        using DisposeScope scope = NewDisposeScope();
        ArgumentException error = Assert.Throws<ArgumentException>(() => model.Logits(SequenceBatch.Packed([new int[121]])));
        Assert.Contains("Position 120 is outside the model's 120", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Gpt2_NewWeights_AddToTheResidualStreamByLess()
    {
        using PretrainedModel model = PretrainedModel.Create(TinyDecoders.Config("gpt2"), 1);
        float[] up = Weights("transformer.h.0.mlp.c_fc.weight"), down = Weights("transformer.h.0.mlp.c_proj.weight");
        // 2304 draws each: the standard error of a deviation is 1.5 %.
        Assert.Equal(0.2, Deviation(up), 0.02);
        Assert.Equal(0.2 / Math.Sqrt(2 * 2), Deviation(down), 0.01);
        float[] Weights(string name) => model.Parameters.Single(parameter => parameter.Name == name).Value.Floats().ToArray();
        static double Deviation(float[] values) => Math.Sqrt(values.Average(value => (double)value * value));
    }

    private TextModelConfig Read(string decoder, Action<JsonObject> edit)
    {
        using (FileStream file = File.Create(ConfigFile))
            TinyDecoders.Config(decoder).Write(file);
        JsonObject json = JsonNode.Parse(File.ReadAllText(ConfigFile))!.AsObject();
        edit(json);
        File.WriteAllText(ConfigFile, json.ToJsonString());
        ConfigReader reader = ConfigReader.Open(ConfigFile);
        ModelConfig config = Architectures.Of(reader).Read(reader, ModelTask.CausalLanguageModel);
        reader.ThrowIfRejected();
        return (TextModelConfig)config;
    }

    private void Edit(string key, JsonNode? value)
    {
        JsonNode config = JsonNode.Parse(File.ReadAllText(ConfigFile))!;
        config[key] = value;
        File.WriteAllText(ConfigFile, config.ToJsonString());
    }

    // Lists are compared by reference; the tests compare those that matter.
    private static TextModelConfig WithoutLists(TextModelConfig config) => config with { Labels = [], EosTokenIds = [] };
}
