using System.Text.Json;
using Federated.Client.Adapters;
using Federated.Client.Models;
using Federated.Shared.Peft;
using TorchSharp;
using static TorchSharp.torch;

namespace Federated.Client.Tests.Fixtures;

/// <summary>Adapters alone, together and combined in every way of the fixture give the official code's factors, products and logits.</summary>
internal static class WeightedChecks
{
    internal static void Run(Golden golden)
    {
        string[] folders = [.. new[] { "first", "second" }.Select(name => Path.Combine(golden.Folder, name))];
        using PretrainedModel model = PretrainedModel.Load(golden.Base);
        using (AdaptedModel first = AdaptedModel.Load(model, folders[0]))
        {
            Forward(golden, model, "logits.first");
            using AdaptedModel second = AdaptedModel.Load(model, folders[1], besideOthers: true);
            Forward(golden, model, "logits.both");
        }

        using (AdaptedModel second = AdaptedModel.Load(model, folders[1]))
            Forward(golden, model, "logits.second");
        AdapterFolder[] adapters = [.. folders.Select(AdapterFolder.Read)];
        foreach (JsonProperty combination in golden.Description.GetProperty("combinations").EnumerateObject())
            CheckCombination(golden, model, adapters, combination.Name, combination.Value);
    }

    private static void CheckCombination(Golden golden, PretrainedModel model, AdapterFolder[] adapters, string name, JsonElement given)
    {
        double[] weights = [.. given.GetProperty("weights").EnumerateArray().Select(weight => weight.GetDouble())];
        string majority = given.TryGetProperty("majority_sign_method", out JsonElement method) ? method.GetString()! : "total";
        CombinationOptions options = new(name.EndsWith("_frequency", StringComparison.Ordinal) ? name[..^"_frequency".Length] : name)
        {
            SvdRank = given.TryGetProperty("svd_rank", out JsonElement rank) ? rank.GetInt32() : null,
            Density = given.TryGetProperty("density", out JsonElement density) ? density.GetDouble() : 1,
            SignByFrequency = majority == "frequency",
        };
        var combined = WeightedCombination.Combine([.. adapters.Zip(weights, (adapter, weight) => new WeightedAdapter((LoraConfig)adapter.Config, adapter.Tensors, weight))], options);

        using AdaptedModel adapted = AdaptedModel.Attach(model, combined.Config, combined.Tensors);
        Forward(golden, model, "logits." + name);
        string prefix = $"product.{name}.";
        string[] modules = [.. golden.Names.Where(tensor => tensor.StartsWith(prefix, StringComparison.Ordinal)).Select(tensor => tensor[prefix.Length..])];
        Assert.NotEmpty(modules);
        foreach (string module in modules)
            CheckFactors(golden, combined.Config, combined.Tensors, name, module);
    }

    private static void CheckFactors(Golden golden, LoraConfig config, Federated.Shared.Tensors.NamedTensors tensors, string name, string module)
    {
        using DisposeScope scope = NewDisposeScope();
        double tolerance = golden.Tolerance("merged_weight"), scaling = config.ScalingOf(module);
        (string a, string b) = (PeftNames.LoraA(module), PeftNames.LoraB(module));
        Tensor product = tensor(tensors[b], [.. tensors.Shape(b)]).mm(tensor(tensors[a], [.. tensors.Shape(a)])) * scaling;
        Near.Equal(golden.Floats($"product.{name}.{module}"), product.Floats(), tolerance, $"product.{name}.{module}");
        Near.Equal(golden.Floats($"scaling.{name}.{module}"), [(float)scaling], 0, $"scaling.{name}.{module}");
        foreach ((string factor, string stored) in new[] { ("lora_A", a), ("lora_B", b) })
        {
            // Signs of singular vectors are free, so svd has products only.
            if (golden.Has($"{factor}.{name}.{module}"))
                Near.Equal(golden.Floats($"{factor}.{name}.{module}"), tensors[stored], tolerance, $"{factor}.{name}.{module}");
        }
    }

    private static void Forward(Golden golden, PretrainedModel model, string name)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable _ = no_grad();
        Near.Equal(golden.Floats(name), model.Logits(golden.Batch().Input).Floats(), golden.Tolerance("logits"), name);
    }
}
