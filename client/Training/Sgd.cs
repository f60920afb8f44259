using Federated.Shared.Tensors;
using TorchSharp.Modules;

namespace Federated.Client.Training;

/// <summary>Stochastic gradient descent with momentum, as torch.optim.SGD: g ← g + wd·p; u ← μ·u + g; p ← p − lr·u.</summary>
/// <remarks>μ is <see cref="TrainingOptions.Beta1"/>; 0 gives plain descent. The first step has u = g, which a zero start gives as well.</remarks>
internal sealed class Sgd : ILocalOptimizer
{
    private readonly TrainingOptions _options;
    private readonly bool[] _decays;
    private readonly OptimizerState _momentum;
    private float _learningRate, _gradientScale;

    internal Sgd(IReadOnlyList<(string Name, Parameter Value)> parameters, TrainingOptions options)
    {
        _options = options;
        _decays = [.. parameters.Select(parameter => options.DecayVectors || parameter.Value.dim() > 1)];
        _momentum = new("momentum_buffer.", parameters);
    }

    /// <inheritdoc/>
    public void BeginStep(double learningRate, double gradientScale) => (_learningRate, _gradientScale) = ((float)learningRate, (float)gradientScale);

    /// <inheritdoc/>
    public void Update(int index, Span<float> values, ReadOnlySpan<float> gradient)
    {
        Span<float> momentum = _momentum.Values[index];
        float decay = _decays[index] ? (float)_options.WeightDecay : 0, mu = (float)_options.Beta1;
        for (int i = 0; i < values.Length; i++)
        {
            momentum[i] = (mu * momentum[i]) + (gradient[i] * _gradientScale) + (decay * values[i]);
            values[i] -= _learningRate * momentum[i];
        }
    }

    /// <inheritdoc/>
    public NamedTensors State()
    {
        NamedTensors state = new();
        _momentum.AddTo(state);
        return state;
    }

    /// <inheritdoc/>
    public void Restore(NamedTensors state, int steps) => _momentum.Restore(state);
}
