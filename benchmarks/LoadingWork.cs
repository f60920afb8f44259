using System.Text.Json.Nodes;
using Federated.Client.Models;
using Federated.Shared.Randomness;
using Federated.Shared.Tensors;

namespace Federated.Benchmarks;

/// <summary>The checkpoint that <c>loading</c> reads: a Llama with as many layers as fill the wanted size.</summary>
internal static class LoadingWork
{
    private const int Block = 1 << 20;

    /// <summary>How the checkpoint is stored: element type, and number of files.</summary>
    internal static readonly (string Name, DType DType, int Shards)[] Cases = [("f32", DType.F32, 1), ("f32, 5 shards", DType.F32, 5), ("bf16", DType.BF16, 1), ("f16", DType.F16, 1)];

    /// <summary>Writes the checkpoint, of about <paramref name="bytes"/> bytes.</summary>
    internal static void Write(string folder, DType dtype, int shards, long bytes)
    {
        LlamaConfig config = Config(dtype, bytes);
        using (FileStream file = File.Create(Path.Combine(folder, "config.json")))
            config.Write(file);

        TensorInfo[] tensors = [.. Tensors(config, dtype)];
        JsonObject map = [];
        foreach ((int i, TensorInfo[] shard) in tensors.Chunk((tensors.Length + shards - 1) / shards).Index())
        {
            string name = shards == 1 ? "model.safetensors" : $"model-{i + 1:d5}-of-{shards:d5}.safetensors";
            WriteTensors(Path.Combine(folder, name), shard);
            foreach (TensorInfo tensor in shard)
                map[tensor.Name] = name;
        }

        if (shards > 1)
        {
            JsonObject index = new() { ["metadata"] = new JsonObject { ["total_size"] = tensors.Sum(tensor => tensor.Length) }, ["weight_map"] = map };
            File.WriteAllText(Path.Combine(folder, "model.safetensors.index.json"), index.ToJsonString());
        }
    }

    private static LlamaConfig Config(DType dtype, long bytes)
    {
        LlamaConfig config = new()
        {
            Task = ModelTask.CausalLanguageModel,
            VocabularySize = 32000,
            HiddenSize = 2048,
            MaxPositions = 4096,
            Layers = 1,
            Heads = 32,
            KeyValueHeads = 8,
            HeadSize = 64,
            IntermediateSize = 5632,
        };
        long head = (long)config.VocabularySize * config.HiddenSize;
        long layer = (config with { Layers = 2 }).BackboneParameters - config.BackboneParameters;
        return config with { Layers = (int)Math.Max(1, ((bytes / dtype.Size()) - (2 * head)) / layer) };
    }

    // The names and shapes of Hugging Face's LlamaForCausalLM.
    private static IEnumerable<TensorInfo> Tensors(LlamaConfig config, DType dtype)
    {
        long hidden = config.HiddenSize, query = config.Heads * config.HeadSize, key = config.KeyValueHeads * config.HeadSize, inner = config.IntermediateSize;
        TensorInfo Of(string name, params long[] shape) => TensorInfo.Declare(name + ".weight", dtype, shape);
        yield return Of("model.embed_tokens", config.VocabularySize, hidden);
        for (int i = 0; i < config.Layers; i++)
        {
            string layer = $"model.layers.{i}.";
            yield return Of(layer + "self_attn.q_proj", query, hidden);
            yield return Of(layer + "self_attn.k_proj", key, hidden);
            yield return Of(layer + "self_attn.v_proj", key, hidden);
            yield return Of(layer + "self_attn.o_proj", hidden, query);
            yield return Of(layer + "mlp.gate_proj", inner, hidden);
            yield return Of(layer + "mlp.up_proj", inner, hidden);
            yield return Of(layer + "mlp.down_proj", hidden, inner);
            yield return Of(layer + "input_layernorm", hidden);
            yield return Of(layer + "post_attention_layernorm", hidden);
        }

        yield return Of("model.norm", hidden);
        yield return Of("lm_head", config.VocabularySize, hidden);
    }

    private static void WriteTensors(string path, TensorInfo[] tensors)
    {
        float[] values = new float[Block];
        SharedRandom.Fill(1, 0, StreamKind.Gaussian, 0, values);
        using SafetensorsWriter writer = new(File.Create(path), tensors, SafetensorsWriter.PyTorchMetadata);
        foreach (TensorInfo tensor in writer.Tensors)
        {
            for (long left = tensor.ElementCount; left > 0; left -= Block)
                writer.WriteTensor(tensor.Name, values.AsSpan(0, (int)Math.Min(Block, left)));
        }

        writer.Complete();
    }
}
