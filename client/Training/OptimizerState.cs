using Federated.Shared.Tensors;
using TorchSharp.Modules;

namespace Federated.Client.Training;

/// <summary>One array of numbers beside every parameter, such as Adam's first moments.</summary>
internal sealed class OptimizerState
{
    private readonly string _prefix;
    private readonly (string Name, long[] Shape)[] _parameters;

    internal OptimizerState(string prefix, IReadOnlyList<(string Name, Parameter Value)> parameters)
    {
        _prefix = prefix;
        _parameters = [.. parameters.Select(parameter => (parameter.Name, parameter.Value.shape))];
        Values = [.. parameters.Select(parameter => new float[parameter.Value.numel()])];
    }

    /// <summary>The numbers of each parameter, zero at first.</summary>
    internal float[][] Values { get; }

    internal void AddTo(NamedTensors state)
    {
        for (int i = 0; i < Values.Length; i++)
            state.Add(_prefix + _parameters[i].Name, _parameters[i].Shape, Values[i]);
    }

    internal void Restore(NamedTensors state)
    {
        for (int i = 0; i < Values.Length; i++)
        {
            string name = _prefix + _parameters[i].Name;
            float[] stored = state[name];
            if (!state.Shape(name).SequenceEqual(_parameters[i].Shape))
                throw new TensorFormatException(TensorFormatReason.BadShape, $"Optimiser state '{name}' has shape {TensorText.Shape(state.Shape(name))}, the parameter {TensorText.Shape(_parameters[i].Shape)}.");
            stored.CopyTo(Values[i], 0);
        }
    }
}
