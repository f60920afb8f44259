using Federated.Client.Models;
using Federated.Client.Models.Operators;
using Federated.Shared.Peft;
using Federated.Shared.Randomness;
using Federated.Shared.Tensors;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Federated.Client.Adapters;

/// <summary>The rows that a prompt or a prefix stores, one a virtual token: trained themselves, or the output of a network that is trained in their place and not stored.</summary>
internal sealed class PromptRows
{
    internal const string Name = "prompt_embeddings";
    private readonly SharedTensors _tensors;
    private readonly Func<long, long, Tensor> _columns;
    private readonly (int Count, long Width) _shape;

    private PromptRows(SharedTensors tensors, (int Count, long Width) shape, Func<long, long, Tensor> columns) => (_tensors, _shape, _columns) = (tensors, shape, columns);

    /// <summary>Rows that train themselves.</summary>
    /// <param name="count">Number of rows.</param>
    /// <param name="width">Numbers a row.</param>
    /// <param name="start">Fills them as a new adapter has them.</param>
    internal static PromptRows Trained(int count, long width, Action<Parameter, SplitMix64> start)
    {
        SharedTensors tensors = new([new(Name, [count, width], FederationClass.Exact)], (own, random) => start(own[0], random));
        return new(tensors, (count, width), (first, columns) => first == 0 && columns == width ? tensors.Values[0] : tensors.Values[0].narrow(1, first, columns));
    }

    /// <summary>Rows that a network computes: an embedding of each virtual token, then linear layers with an activation between.</summary>
    /// <param name="count">Number of rows.</param>
    /// <param name="widths">Numbers a row before and after each linear layer.</param>
    /// <param name="layers">What PEFT calls the list of layers; every second entry is an activation.</param>
    /// <param name="activation">The function between.</param>
    internal static PromptRows Encoded(int count, IReadOnlyList<long> widths, string layers, Func<Tensor, Tensor> activation)
    {
        List<TensorSpec> specs = [Hidden("embedding.weight", count, widths[0])];
        for (int i = 0; i + 1 < widths.Count; i++)
            specs.AddRange([Hidden($"{layers}.{2 * i}.weight", widths[i + 1], widths[i]), Hidden($"{layers}.{2 * i}.bias", widths[i + 1])]);
        SharedTensors tensors = new(specs, (own, random) => Start(own, widths, random));
        return new(tensors, (count, widths[^1]), (first, columns) => Encode(tensors.Values, activation, first, columns));
    }

    /// <summary>All rows, (count, width), in the caller's dispose scope.</summary>
    internal Tensor All() => _columns(0, _shape.Width);

    /// <summary>Some columns of all rows.</summary>
    internal Tensor Columns(long first, long count) => _columns(first, count);

    /// <summary>What these rows are to an adapted model, for settings that name all sizes.</summary>
    internal AdapterParts Parts(PromptLearningConfig complete, Func<IDisposable> place) => new()
    {
        Shared = [_tensors],
        Place = place,
        Unmergeable = "what stands before the text is no part of any weight",
        Export = (_, tensors) => (complete, tensors.Contains(Name) ? tensors : WithRows(tensors)),
    };

    private static TensorSpec Hidden(string name, params long[] shape) => new("prompt_encoder." + name, shape, FederationClass.NonLinear) { Stored = false };

    // As PyTorch's modules start: the embedding normal, weights and biases uniform on ±1/sqrt(in).
    private static void Start(IReadOnlyList<Parameter> own, IReadOnlyList<long> widths, SplitMix64 random)
    {
        Weights.FillNormal(own[0].Floats(), 1, random);
        for (int i = 1; i < own.Count; i++)
            Weights.FillUniform(own[i].Floats(), 1 / Math.Sqrt(widths[(i - 1) / 2]), random);
    }

    private static Tensor Encode(IReadOnlyList<Parameter> own, Func<Tensor, Tensor> activation, long first, long columns)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor rows = own[0];
        for (int i = 1; i < own.Count - 2; i += 2)
            rows = activation(Kernels.Linear(rows, own[i], own[i + 1]));
        return Kernels.Linear(rows, own[^2].narrow(0, first, columns), own[^1].narrow(0, first, columns)).MoveToOuterDisposeScope();
    }

    private NamedTensors WithRows(NamedTensors tensors)
    {
        using IDisposable _ = no_grad();
        using DisposeScope scope = NewDisposeScope();
        NamedTensors stored = tensors.Clone();
        stored.Add(Name, [_shape.Count, _shape.Width], All().Floats().ToArray());
        return stored;
    }
}
