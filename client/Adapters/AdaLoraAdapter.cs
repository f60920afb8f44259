using Federated.Client.Models;
using Federated.Client.Models.Operators;
using Federated.Shared.Peft;
using Federated.Shared.Randomness;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Federated.Client.Adapters;

/// <summary>Adaptive low-rank adaptation: W' = W + s·B·diag(E)·A with A (r, in), E (r, 1), B (out, r); training decides which of the triplets stay.</summary>
/// <remarks>
/// Source: Zhang et al. 2023, arXiv:2303.10512; names, scaling and initial values as in PEFT: s = alpha / (r + 1e-5) with the rank r at the
/// start, whatever was pruned since; A and B normal with deviation 0.02, E zero. A pruned adapter has fewer rows, down to none.
/// What trains beside the gradient is in <see cref="AdaLoraTraining"/>.
/// </remarks>
public sealed class AdaLoraAdapter : ILinearAdapter
{
    private readonly AdaLoraConfig _config;

    /// <summary>Creates the adapter over its factors.</summary>
    /// <param name="a">A.</param>
    /// <param name="b">B.</param>
    /// <param name="e">E.</param>
    /// <param name="config">The settings.</param>
    public AdaLoraAdapter(Parameter a, Parameter b, Parameter e, AdaLoraConfig config) => (A, B, E, _config) = (a, b, e, config);

    /// <summary>Right singular vectors, (r, in).</summary>
    internal Parameter A { get; }

    /// <summary>Left singular vectors, (out, r).</summary>
    internal Parameter B { get; }

    /// <summary>Singular values, (r, 1).</summary>
    internal Parameter E { get; }

    internal static AdapterParts Parts(PretrainedModel model, AdaLoraConfig config)
    {
        List<(string Module, AdaLoraAdapter Adapter)> made = [];
        Lazy<AdaLoraTraining> training = new(() => new(config, made));
        return new()
        {
            Layers = [.. AdapterTargets.Linear(model, config).Select(target => Layer(config, target.Name, target.Layer, made))],
            Training = () => training.Value,
            Export = (_, tensors) => training.Value.Prune(tensors),
        };
    }

    /// <inheritdoc/>
    public void Initialise(Tensor weight, SplitMix64 random)
    {
        Weights.FillNormal(A.Floats(), _config.InitLoraWeights ? 0.02 : 1, random);
        Weights.FillNormal(B.Floats(), _config.InitLoraWeights ? 0.02 : 1, random);
        E.Floats().Clear();
        if (!_config.InitLoraWeights)
            Weights.FillNormal(E.Floats(), 1, random);
    }

    /// <inheritdoc/>
    public Tensor Forward(Tensor input, Projection target)
    {
        if (E.numel() == 0)
            return Kernels.Linear(input, target.Matrix, target.Bias);

        using DisposeScope scope = NewDisposeScope();
        double dropout = target.training ? _config.Dropout : 0;
        return Kernels.LoraLinear(input, target.Matrix, target.Bias, A * E, B, _config.Scaling, dropout).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public (Tensor Weight, Tensor? Bias) Merge(Tensor weight, Tensor? bias)
    {
        using DisposeScope scope = NewDisposeScope();
        return ((weight + (B.mm(A * E) * _config.Scaling)).MoveToOuterDisposeScope(), bias?.alias().MoveToOuterDisposeScope());
    }

    private static AdapterLayer Layer(AdaLoraConfig config, string name, Projection layer, List<(string, AdaLoraAdapter)> made)
    {
        long rank = config.RankOf(name);
        TensorSpec[] factors =
        [
            new(AdaLoraTraining.NameOfA, [rank, layer.Inputs], FederationClass.NonLinear),
            new(AdaLoraTraining.NameOfB, [layer.Outputs, rank], FederationClass.NonLinear),
            new(AdaLoraTraining.NameOfE, [rank, 1], FederationClass.NonLinear),
        ];
        return new(name, factors, values =>
        {
            AdaLoraAdapter adapter = new(values[0], values[1], values[2], config);
            made.Add((name, adapter));
            return adapter;
        });
    }
}
