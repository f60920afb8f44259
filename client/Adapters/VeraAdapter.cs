using Federated.Client.Models;
using Federated.Client.Models.Operators;
using Federated.Shared.Peft;
using Federated.Shared.Randomness;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Federated.Client.Adapters;

/// <summary>Vector-based random matrix adaptation: W' = W + diag(λ_b)·B[:out]·diag(λ_d)·A[:, :in], with A and B random, frozen and common to all layers.</summary>
/// <remarks>
/// Source: Kopiczko et al. 2024, arXiv:2310.11454; names and initial values as in PEFT: A (r, widest input) and B (widest output, r) are
/// Kaiming uniform from PyTorch's generator on the CPU, so that they can be had again from their key alone. Both vectors are trained.
/// </remarks>
public sealed class VeraAdapter : ILinearAdapter
{
    private readonly Parameter _a, _b, _lambdaB, _lambdaD;
    private readonly VeraConfig _config;

    private VeraAdapter(SharedTensors projection, IReadOnlyList<Parameter> vectors, VeraConfig config) =>
        (_a, _b, _lambdaB, _lambdaD, _config) = (projection.Values[0], projection.Values[1], vectors[0], vectors[1], config);

    internal static AdapterParts Parts(PretrainedModel model, VeraConfig config)
    {
        IReadOnlyList<(string Name, Projection Layer)> targets = AdapterTargets.Linear(model, config, patches: false);
        TensorSpec Frozen(string name, params long[] shape) => new(name, shape, FederationClass.Seed) { Trains = false, Stored = config.SaveProjection };
        SharedTensors projection = new(
            [
                Frozen("base_model.vera_A", config.Rank, targets.Max(target => target.Layer.Inputs)),
                Frozen("base_model.vera_B", targets.Max(target => target.Layer.Outputs), config.Rank),
            ],
            (values, _) => Draw(values, config.ProjectionKey));
        return new()
        {
            Shared = [projection],
            Layers = [.. targets.Select(target => new AdapterLayer(
                target.Name,
                [new("vera_lambda_b", [target.Layer.Outputs], FederationClass.Bilinear), new("vera_lambda_d", [config.Rank], FederationClass.Bilinear)],
                vectors => new VeraAdapter(projection, vectors, config)))],
        };
    }

    /// <summary>Fills the vectors: λ_b zero and λ_d the same small number everywhere, or one and normal.</summary>
    public void Initialise(Tensor weight, SplitMix64 random)
    {
        _lambdaB.Floats().Fill(_config.InitWeights ? 0 : 1);
        if (_config.InitWeights)
            _lambdaD.Floats().Fill((float)_config.InitialD);
        else
            Weights.FillNormal(_lambdaD.Floats(), 1, random);
    }

    /// <inheritdoc/>
    public Tensor Forward(Tensor input, Projection target)
    {
        using DisposeScope scope = NewDisposeScope();
        (Tensor a, Tensor b) = Factors(target.Inputs, target.Outputs);
        return Kernels.LoraLinear(input, target.Matrix, target.Bias, a, b, 1, target.training ? _config.Dropout : 0).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public (Tensor Weight, Tensor? Bias) Merge(Tensor weight, Tensor? bias)
    {
        using DisposeScope scope = NewDisposeScope();
        (Tensor a, Tensor b) = Factors(weight.shape[1], weight.shape[0]);
        return ((weight + b.mm(a)).MoveToOuterDisposeScope(), bias?.alias().MoveToOuterDisposeScope());
    }

    private static void Draw(IReadOnlyList<Parameter> values, long key)
    {
        using IDisposable _ = no_grad();
        using Generator generator = new Generator().manual_seed(key);
        foreach (Parameter value in values)
        {
            double bound = Math.Sqrt(6.0 / value.shape[1]);
            value.uniform_(-bound, bound, generator);
        }
    }

    private (Tensor A, Tensor B) Factors(long inputs, long outputs) =>
        (_a.narrow(1, 0, inputs) * _lambdaD.unsqueeze(1), _b.narrow(0, 0, outputs) * _lambdaB.unsqueeze(1));
}
