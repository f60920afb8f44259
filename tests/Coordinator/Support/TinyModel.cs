using System.Runtime.InteropServices;
using Federated.Shared.Tensors;

namespace Federated.Coordinator.Tests.Support;

/// <summary>A base model of one layer, just large enough to hang an adapter on.</summary>
internal static class TinyModel
{
    public const int Hidden = 8;

    /// <summary>Writes the folder.</summary>
    public static void Write(string folder)
    {
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "config.json"), """{"model_type": "llama", "hidden_size": 8, "num_labels": 2}""");
        using FileStream file = File.Create(Path.Combine(folder, "model.safetensors"));
        using SafetensorsWriter writer = new(file,
        [
            TensorInfo.Declare("model.layers.0.self_attn.q_proj.weight", DType.F32, Hidden, Hidden),
            TensorInfo.Declare("model.layers.0.self_attn.v_proj.weight", DType.F32, Hidden / 2, Hidden),
            TensorInfo.Declare("score.weight", DType.F32, 2, Hidden),
        ]);
        foreach (TensorInfo tensor in writer.Tensors)
        {
            float[] values = [.. Enumerable.Range(0, (int)tensor.ElementCount).Select(i => MathF.Sin(i))];
            writer.WriteTensor(tensor.Name, MemoryMarshal.AsBytes<float>(values));
        }
    }

    /// <summary>A description of a run on this model.</summary>
    public static string Yaml(string model, string run = "mail", string sites = "[alpha, beta, gamma]", int rounds = 2, string extra = "", string method = "{name: fedit}") => $"""
        run: {run}
        method: {method}
        model: {model}
        sites: {sites}
        rounds: {rounds}
        seed: 7
        {extra}
        adapter:
          rank: 2
          alpha: 4
          target_modules: [q_proj, v_proj]
          modules_to_save: [score]
        training:
          objective: sequence-classification
          labels: [ham, spam]
          steps: 3
          batch_size: 4
          max_tokens: 64
          learning_rate: 1e-3
        """;
}
