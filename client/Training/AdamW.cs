using System.Numerics;
using Federated.Shared.Tensors;
using TorchSharp.Modules;

namespace Federated.Client.Training;

/// <summary>Adam with decoupled weight decay.</summary>
/// <remarks>
/// Source: Loshchilov and Hutter 2019, arXiv:1711.05101, in the order of operations of torch.optim.AdamW:
/// p ← p·(1 − lr·wd); m ← β1·m + (1−β1)·g; v ← β2·v + (1−β2)·g²; p ← p − lr/(1−β1^t) · m / (√v/√(1−β2^t) + ε).
/// One pass over each parameter instead of torch's eight or so.
/// </remarks>
internal sealed class AdamW : ILocalOptimizer
{
    private readonly TrainingOptions _options;
    private readonly bool[] _decays;
    private readonly OptimizerState _first, _second;
    private int _steps;
    private float _keep, _stepSize, _inverseRootCorrection, _gradientScale;

    internal AdamW(IReadOnlyList<(string Name, Parameter Value)> parameters, TrainingOptions options)
    {
        _options = options;
        _decays = [.. parameters.Select(parameter => options.DecayVectors || parameter.Value.dim() > 1)];
        (_first, _second) = (new("exp_avg.", parameters), new("exp_avg_sq.", parameters));
    }

    /// <inheritdoc/>
    public void BeginStep(double learningRate, double gradientScale)
    {
        _steps++;
        _keep = (float)(1 - (learningRate * _options.WeightDecay));
        _stepSize = (float)(learningRate / (1 - Math.Pow(_options.Beta1, _steps)));
        _inverseRootCorrection = (float)(1 / Math.Sqrt(1 - Math.Pow(_options.Beta2, _steps)));
        _gradientScale = (float)gradientScale;
    }

    /// <inheritdoc/>
    public void Update(int index, Span<float> values, ReadOnlySpan<float> gradient)
    {
        Span<float> first = _first.Values[index], second = _second.Values[index];
        float keep = _decays[index] ? _keep : 1, beta1 = (float)_options.Beta1, beta2 = (float)_options.Beta2, eps = (float)_options.Epsilon;
        float fresh1 = (float)(1 - _options.Beta1), fresh2 = (float)(1 - _options.Beta2);
        int i = 0;
        for (int width = Vector<float>.Count; i <= values.Length - width; i += width)
        {
            Vector<float> g = new Vector<float>(gradient[i..]) * _gradientScale;
            Vector<float> m = (new Vector<float>(first[i..]) * beta1) + (g * fresh1);
            Vector<float> v = (new Vector<float>(second[i..]) * beta2) + (g * g * fresh2);
            m.CopyTo(first[i..]);
            v.CopyTo(second[i..]);
            Vector<float> denominator = (Vector.SquareRoot(v) * _inverseRootCorrection) + new Vector<float>(eps);
            ((new Vector<float>(values[i..]) * keep) - (m * _stepSize / denominator)).CopyTo(values[i..]);
        }

        for (; i < values.Length; i++)
        {
            float g = gradient[i] * _gradientScale;
            first[i] = (first[i] * beta1) + (g * fresh1);
            second[i] = (second[i] * beta2) + (g * g * fresh2);
            values[i] = (values[i] * keep) - (first[i] * _stepSize / ((MathF.Sqrt(second[i]) * _inverseRootCorrection) + eps));
        }
    }

    /// <inheritdoc/>
    public NamedTensors State()
    {
        NamedTensors state = new();
        _first.AddTo(state);
        _second.AddTo(state);
        return state;
    }

    /// <inheritdoc/>
    public void Restore(NamedTensors state, int steps)
    {
        _first.Restore(state);
        _second.Restore(state);
        _steps = steps;
    }
}
