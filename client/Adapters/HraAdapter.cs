using Federated.Client.Models;
using Federated.Shared.Peft;
using Federated.Shared.Randomness;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Federated.Client.Adapters;

/// <summary>Householder reflection adaptation: W' = W·H1·H2···Hr with Hj = I − 2·u·uᵀ, u the normalised column j of hra_u (in, r).</summary>
/// <remarks>
/// Source: Yuan et al. 2024, arXiv:2405.17484; names and initial values as in PEFT. The product is never formed: it is I − U·T·Uᵀ with
/// T⁻¹ = I/2 + the strictly upper part of UᵀU (Joffrain et al. 2006), so a layer costs two thin products. With orthogonal columns T = 2·I,
/// and since a reflection does not ask for its vector's sign, QR does for Gram and Schmidt.
/// </remarks>
public sealed class HraAdapter : RotationAdapter
{
    private readonly Parameter _vectors;
    private readonly HraConfig _config;

    /// <summary>Creates the adapter over its vectors.</summary>
    /// <param name="vectors">hra_u, (in, r).</param>
    /// <param name="config">The settings.</param>
    public HraAdapter(Parameter vectors, HraConfig config) => (_vectors, _config) = (vectors, config);

    internal static AdapterParts Parts(PretrainedModel model, HraConfig config) => new()
    {
        Layers = [.. AdapterTargets.Linear(model, config).Select(target => Layer(config, target.Name, target.Layer))],
    };

    /// <summary>Fills the vectors: in equal pairs, whose reflections cancel out, or all at random.</summary>
    /// <remarks>Without pairs where they cannot be: with an odd number of columns, or when equal ones would have to be made orthogonal.</remarks>
    public override void Initialise(Tensor weight, SplitMix64 random)
    {
        long rank = _vectors.shape[1];
        bool paired = _config.InitWeights && rank % 2 == 0 && !_config.Orthogonalise;
        float[] drawn = new float[paired ? _vectors.numel() / 2 : _vectors.numel()];
        Weights.FillUniform(drawn, 1 / Math.Sqrt(paired ? rank / 2 : rank), random);
        Span<float> values = _vectors.Floats();
        for (int i = 0; i < values.Length; i++)
            values[i] = drawn[paired ? i / 2 : i];
    }

    /// <inheritdoc/>
    protected override Tensor Rotate(Tensor rows, bool training)
    {
        (Tensor vectors, Tensor middle) = Compact();
        return rows - rows.mm(vectors).mm(middle.t()).mm(vectors.t());
    }

    /// <inheritdoc/>
    protected override Tensor RotateBack(Tensor rows)
    {
        using DisposeScope scope = NewDisposeScope();
        (Tensor vectors, Tensor middle) = Compact();
        return (rows - rows.mm(vectors).mm(middle).mm(vectors.t())).MoveToOuterDisposeScope();
    }

    // QR gives no more orthogonal columns than there are rows.
    private static AdapterLayer Layer(HraConfig config, string name, Projection layer) => config.Orthogonalise && config.Rank > layer.Inputs
        ? throw new PeftFormatException($"r is {config.Rank}, but '{name}' has {layer.Inputs} inputs: with apply_GS there are at most as many reflections.")
        : new(name, [new("hra_u", [layer.Inputs, config.Rank], FederationClass.NonLinear)], vectors => new HraAdapter(vectors[0], config));

    /// <summary>U and T of H1···Hr = I − U·T·Uᵀ.</summary>
    private (Tensor Vectors, Tensor Middle) Compact()
    {
        Tensor identity = eye(_vectors.shape[1]);
        if (_config.Orthogonalise)
            return (linalg.qr(_vectors).Q, identity * 2);

        // A vector of no length reflects nothing.
        Tensor unit = _vectors / _vectors.norm(0, keepdim: true).clamp(min: 1e-12);
        return (unit, linalg.solve(unit.t().mm(unit).triu(1) + (identity * 0.5), identity));
    }
}
