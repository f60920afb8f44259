using Federated.Client.Models;
using Federated.Client.Models.Operators;
using Federated.Shared.Peft;
using Federated.Shared.Randomness;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Federated.Client.Adapters;

/// <summary>Low-rank Kronecker product adaptation: W' = W + s·(w1 ⊗ w2), each factor whole or a product w_a·w_b of rank r, s = alpha / r.</summary>
/// <remarks>
/// Sources: Yeh et al. 2023, arXiv:2309.14859 (LyCORIS); shapes, names and initial values as in PEFT's LoKr, since 0.17 with the scaling.
/// The Kronecker product is never formed in the forward pass: (w1 ⊗ w2)·x is w1·X·w2ᵀ of x seen as a matrix X.
/// </remarks>
public sealed class LokrAdapter : LycorisAdapter
{
    private readonly LokrConfig _config;
    private readonly Parameter[] _left, _right;

    /// <summary>Creates the adapter over its factors.</summary>
    /// <param name="left">w1, or w1_a and w1_b.</param>
    /// <param name="right">w2, or w2_a and w2_b.</param>
    /// <param name="module">Full module name, by which the settings choose the scaling.</param>
    /// <param name="config">The settings.</param>
    public LokrAdapter(IEnumerable<Parameter> left, IEnumerable<Parameter> right, string module, LokrConfig config) : base(config, module) =>
        (_left, _right, _config) = ([.. left], [.. right], config);

    internal static AdapterParts Parts(PretrainedModel model, LokrConfig config) => new()
    {
        Layers = [.. AdapterTargets.Linear(model, config).Select(target => Layer(config, target.Name, target.Layer))],
    };

    /// <inheritdoc/>
    protected override bool ScalesDropout => _config.RankDropoutScale;

    /// <summary>Fills the factors with seeded initial values; unless all are random, one of them stays zero.</summary>
    public override void Initialise(Tensor weight, SplitMix64 random)
    {
        foreach (Parameter factor in _left.Concat(_right))
            Weights.FillKaiming(factor, random);
        if (_config.InitWeights != LokrInit.Random)
            (_config.InitWeights == LokrInit.LeftZero ? _left[0] : _right[^1]).Floats().Clear();
    }

    /// <inheritdoc/>
    protected override Tensor Change()
    {
        (Tensor left, Tensor right) = (Whole(_left), Whole(_right));
        Tensor blocks = (left * Scale).unsqueeze(1).unsqueeze(3) * right.unsqueeze(0).unsqueeze(2);
        return blocks.reshape(left.shape[0] * right.shape[0], left.shape[1] * right.shape[1]);
    }

    /// <inheritdoc/>
    protected override Tensor Forward(Tensor input, Projection target, Tensor? kept)
    {
        (Tensor left, Tensor right) = (Whole(_left), Whole(_right));
        long rows = input.shape[0];
        Tensor inner = input.reshape(-1, right.shape[1]).mm(right.t()).view(rows, left.shape[1], right.shape[0]);
        Tensor change = inner.transpose(1, 2).reshape(-1, left.shape[1]).mm((left * Scale).t()).view(rows, right.shape[0], left.shape[0]);
        change = change.transpose(1, 2).reshape(rows, target.Outputs);
        return Kernels.Linear(input, target.Matrix, target.Bias) + (kept is null ? change : change * kept);
    }

    private static AdapterLayer Layer(LokrConfig config, string name, Projection layer)
    {
        LokrShape shape = LokrShape.Of(layer, config.RankOf(name), config);
        FederationClass federation = shape.Left.Count + shape.Right.Count == 2 ? FederationClass.Bilinear : FederationClass.NonLinear;
        TensorSpec[] tensors = [.. shape.Names.Zip(shape.Left.Concat(shape.Right), (factor, size) => new TensorSpec(factor, size, federation))];
        return new(name, tensors, values => new LokrAdapter(values.Take(shape.Left.Count), values.Skip(shape.Left.Count), name, config));
    }

    // A whole right factor of a convolution has the kernel's pixels as dimensions of their own.
    private static Tensor Whole(Parameter[] factor) => factor.Length == 1 ? factor[0].flatten(1) : factor[0].mm(factor[1]);
}
