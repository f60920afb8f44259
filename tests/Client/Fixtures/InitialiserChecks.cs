using System.Text.Json.Nodes;
using Federated.Client.Adapters;
using Federated.Client.Models;
using Federated.Shared.Peft;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Federated.Client.Tests.Fixtures;

/// <summary>An adapter that starts from a part of the base takes and leaves what the official code does, and is written as a plain one for the whole base.</summary>
internal static class InitialiserChecks
{
    internal static void Run(Golden golden)
    {
        using PretrainedModel model = PretrainedModel.Load(golden.Base);
        LoraConfig config = (LoraConfig)AdapterFolder.Read(golden.Folder).Config;
        using (AdaptedModel fresh = AdaptedModel.Attach(model, config, 1))
        {
            CheckStart(golden, model, fresh, config);
            Forward(golden, model, "init.logits");
        }

        DirectoryInfo plain = Directory.CreateTempSubdirectory("adapter");
        try
        {
            using (AdaptedModel trained = AdaptedModel.Load(model, golden.Folder))
                trained.SaveForUntouchedBase(plain.FullName);
            string converted = Path.Combine(golden.Folder, "converted");
            Assert.True(JsonNode.DeepEquals(Settings(converted), Settings(plain.FullName)), $"converted settings: {Settings(plain.FullName)}");
            foreach (string folder in new[] { converted, plain.FullName })
            {
                using AdaptedModel loaded = AdaptedModel.Load(model, folder);
                Forward(golden, model, "converted.logits");
            }
        }
        finally
        {
            plain.Delete(recursive: true);
        }
    }

    private static void CheckStart(Golden golden, PretrainedModel model, AdaptedModel fresh, LoraConfig config)
    {
        const string Product = "init_product.", Residual = "residual.", Weight = ".weight";
        Dictionary<string, Parameter> tensors = fresh.Trainable.ToDictionary(StringComparer.Ordinal);
        string[] products = [.. golden.Names.Where(name => name.StartsWith(Product, StringComparison.Ordinal)).Select(name => name[Product.Length..])];
        Assert.NotEmpty(products);
        using DisposeScope scope = NewDisposeScope();
        using IDisposable _ = no_grad();
        foreach (string name in products)
        {
            string module = name[..^Weight.Length];
            Tensor product = tensors[PeftNames.LoraB(module)].mm(tensors[PeftNames.LoraA(module)]) * config.ScalingOf(module);
            Near.Equal(golden.Floats(Product + name), product.Floats(), golden.Tolerance("merged_weight"), Product + name);
            Near.Equal(golden.Floats(Residual + name), model.Parameters.Single(p => p.Name == name).Value.Floats(), golden.Tolerance("merged_weight"), Residual + name);
        }
    }

    private static JsonNode? Settings(string folder) => JsonNode.Parse(File.ReadAllText(Path.Combine(folder, AdapterFolder.ConfigFile)));

    private static void Forward(Golden golden, PretrainedModel model, string name)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable _ = no_grad();
        Near.Equal(golden.Floats(name), model.Logits(golden.Batch().Input).Floats(), golden.Tolerance("logits"), name);
    }
}
