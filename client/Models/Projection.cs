using Federated.Client.Adapters;
using Federated.Client.Models.Operators;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Federated.Client.Models;

/// <summary>A linear layer, y = x·Wᵀ + b, with a slot for an adapter.</summary>
/// <remarks>
/// The adapter is not a submodule: the model's own parameters keep their Hugging Face names whether or not one is attached, and
/// taking it away leaves no trace. The layer does not own its adapter.
/// </remarks>
public sealed class Projection : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "weight")] private readonly Parameter _weight;
    [ComponentName(Name = "bias")] private readonly Parameter? _bias;

    /// <summary>Creates the layer with uninitialised weights.</summary>
    /// <param name="inputs">Width of the input.</param>
    /// <param name="outputs">Width of the output.</param>
    /// <param name="bias">Whether a bias is added.</param>
    public Projection(long inputs, long outputs, bool bias) : base(nameof(Projection))
    {
        (Inputs, Outputs) = (inputs, outputs);
        _weight = Weights.Allocate(outputs, inputs);
        _bias = bias ? Weights.Allocate(outputs) : null;
        RegisterComponents();
    }

    /// <summary>Width of the input.</summary>
    public long Inputs { get; }

    /// <summary>Width of the output.</summary>
    public long Outputs { get; }

    /// <summary>W, (out, in).</summary>
    public Parameter Weight => _weight;

    /// <summary>b, (out), or null.</summary>
    public Parameter? Bias => _bias;

    /// <summary>What changes this layer's output, or null.</summary>
    public IAdapter? Adapter { get; internal set; }

    /// <summary>(n, in) → (n, out).</summary>
    public override Tensor forward(Tensor input) => Adapter is null ? Kernels.Linear(input, _weight, _bias) : Adapter.Forward(input, this);
}
