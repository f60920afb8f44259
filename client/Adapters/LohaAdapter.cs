using Federated.Client.Models;
using Federated.Client.Models.Operators;
using Federated.Shared.Peft;
using Federated.Shared.Randomness;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Federated.Client.Adapters;

/// <summary>Low-rank Hadamard product adaptation: W' = W + s·(w1_a·w1_b) ∘ (w2_a·w2_b), factors (out, r) and (r, in), s = alpha / r.</summary>
/// <remarks>Sources: Hyeon-Woo et al. 2022, arXiv:2108.06098 (FedPara); names and initial values as in PEFT's LoHa: w2_b zero, the others Kaiming uniform.</remarks>
public sealed class LohaAdapter : LycorisAdapter
{
    private readonly LohaConfig _config;
    private readonly IReadOnlyList<Parameter> _factors;

    /// <summary>Creates the adapter over its factors.</summary>
    /// <param name="factors">w1_a, w1_b, w2_a, w2_b.</param>
    /// <param name="module">Full module name, by which the settings choose the scaling.</param>
    /// <param name="config">The settings.</param>
    public LohaAdapter(IReadOnlyList<Parameter> factors, string module, LohaConfig config) : base(config, module) => (_factors, _config) = (factors, config);

    internal static AdapterParts Parts(PretrainedModel model, LohaConfig config) => new()
    {
        Layers = [.. AdapterTargets.Linear(model, config).Select(target => Layer(config, target.Name, target.Layer))],
    };

    /// <inheritdoc/>
    public override void Initialise(Tensor weight, SplitMix64 random)
    {
        foreach (Parameter factor in _factors)
            Weights.FillKaiming(factor, random);
        if (_config.InitWeights)
            _factors[^1].Floats().Clear();
    }

    /// <inheritdoc/>
    protected override Tensor Change() => _factors[0].mm(_factors[1]) * _factors[2].mm(_factors[3]) * Scale;

    /// <inheritdoc/>
    protected override Tensor Forward(Tensor input, Projection target, Tensor? kept)
    {
        Tensor change = Change();
        return Kernels.Linear(input, target.Matrix + (kept is null ? change : change * kept.unsqueeze(1)), target.Bias);
    }

    private static AdapterLayer Layer(LohaConfig config, string name, Projection layer)
    {
        long[] left = [layer.Outputs, config.RankOf(name)], right = [config.RankOf(name), layer.Inputs];
        (string Name, long[] Shape)[] factors = [("hada_w1_a", left), ("hada_w1_b", right), ("hada_w2_a", left), ("hada_w2_b", right)];
        return new(name, [.. factors.Select(factor => new TensorSpec(factor.Name, factor.Shape, FederationClass.NonLinear))], values => new LohaAdapter(values, name, config));
    }
}
