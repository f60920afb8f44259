using System.Text;
using System.Text.Json.Nodes;
using Federated.Client.Models;
using Federated.Client.Tests.Fixtures;
using Federated.Tests.Support;
using TorchSharp;
using static TorchSharp.torch;

namespace Federated.Client.Tests.Models;

/// <summary>The angles of rotary positions under every scaling, beside an independent script's (Golden/make_rotary.py).</summary>
public sealed class RotaryEmbeddingTests
{
    private static readonly JsonArray Cases =
        JsonNode.Parse(File.ReadAllText(Path.Combine(Repository.Root, "tests", "Client", "Models", "Golden", "rotary.json")))!.AsArray();

    public static TheoryData<string> Names => [.. Cases.Select(entry => (string)entry!["name"]!)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Rows_EveryScaling_AreThoseOfTheFormula(string name)
    {
        using DisposeScope scope = NewDisposeScope();
        JsonNode entry = Cases.Single(entry => (string)entry!["name"]! == name)!;
        int length = (int)entry["length"]!;
        RotaryConfig config = Read(entry);
        RotaryEmbedding rotary = new(config, (int)entry["head_size"]!);
        // Positions before the text's last one share its frequencies; asking for few positions first must not change those of more.
        rotary.Rows([0, 3]);
        (Tensor cos, Tensor sin) = rotary.Rows([0, length - 1]);
        float[] frequencies = Floats(entry["frequencies"]!);
        Assert.Equal([2, 1, frequencies.Length], cos.shape);
        Near.Equal(frequencies, config.Scaling.Frequencies(2 * frequencies.Length, config.Theta, length), 1e-9, "frequencies", 2e-6);
        // An angle of up to 300 in float32 is off by up to 2e-5 and more where its frequency is rounded.
        Near.Equal(Floats(entry["cos"]!), cos[1].Floats(), 2e-4, "cos");
        Near.Equal(Floats(entry["sin"]!), sin[1].Floats(), 2e-4, "sin");
        Assert.All(sin[0].Floats().ToArray(), value => Assert.Equal(0, value));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Write_WhatWasRead_IsReadAgain(string name)
    {
        JsonNode entry = Cases.Single(entry => (string)entry!["name"]! == name)!;
        RotaryConfig config = Read(entry);
        using MemoryStream stream = new();
        (TinyLlama.Config() with { Rotary = config, HeadSize = (int)entry["head_size"]!, MaxPositions = (int)entry["max_position_embeddings"]! }).Write(stream);
        ConfigReader reader = ConfigReader.Parse("written", stream.ToArray());
        Assert.Equal(config, LlamaConfig.Read(reader, ModelTask.CausalLanguageModel).Rotary);
        reader.ThrowIfRejected();
    }

    private static RotaryConfig Read(JsonNode entry)
    {
        ConfigReader reader = ConfigReader.Parse("case", Encoding.UTF8.GetBytes(entry["config"]!.ToJsonString()));
        RotaryConfig config = RotaryConfig.Read(reader, (int)entry["head_size"]!, (int)entry["max_position_embeddings"]!);
        reader.ThrowIfRejected();
        return config;
    }

    private static float[] Floats(JsonNode numbers) => [.. numbers.AsArray().Select(number => (float)(double)number!)];
}
