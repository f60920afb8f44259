using Federated.Client.Adapters;
using Federated.Client.Models.Operators;
using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Federated.Client.Models;

/// <summary>How a <see cref="Projection"/> stores its weight; what it computes is the same.</summary>
public enum WeightLayout
{
    /// <summary>(out, in), as PyTorch's <c>Linear</c>.</summary>
    Linear,

    /// <summary>(in, out), as GPT-2's <c>Conv1D</c>.</summary>
    Transposed,

    /// <summary>(out, channels, height, width): a convolution whose stride is its kernel, applied to flattened patches.</summary>
    Patches,
}

/// <summary>A linear layer, y = x·Wᵀ + b, with a slot for an adapter.</summary>
/// <remarks>
/// The adapter is not a submodule: the model's own parameters keep their Hugging Face names whether or not one is attached, and
/// taking it away leaves no trace. The layer does not own its adapter. However the weight is stored, adapters see <see cref="Matrix"/>.
/// </remarks>
public sealed class Projection : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "weight")] private readonly Parameter _weight;
    [ComponentName(Name = "bias")] private readonly Parameter? _bias;

    /// <summary>Creates the layer with uninitialised weights, stored (out, in).</summary>
    /// <param name="inputs">Width of the input.</param>
    /// <param name="outputs">Width of the output.</param>
    /// <param name="bias">Whether a bias is added.</param>
    public Projection(long inputs, long outputs, bool bias) : this(WeightLayout.Linear, [outputs, inputs], inputs, outputs, bias)
    {
    }

    private Projection(WeightLayout layout, long[] stored, long inputs, long outputs, bool bias) : base(nameof(Projection))
    {
        (Layout, Inputs, Outputs) = (layout, inputs, outputs);
        _weight = Weights.Allocate(stored);
        _bias = bias ? Weights.Allocate(outputs) : null;
        RegisterComponents();
    }

    /// <summary>A layer whose weight is stored (in, out), as GPT-2's <c>Conv1D</c> does; uninitialised.</summary>
    public static Projection Transposed(long inputs, long outputs, bool bias) => new(WeightLayout.Transposed, [inputs, outputs], inputs, outputs, bias);

    /// <summary>A layer over patches flattened to (n, channels·height·width), channel by channel and row by row; its weight is stored as a convolution's; uninitialised.</summary>
    public static Projection Patches(long channels, long height, long width, long outputs, bool bias) =>
        new(WeightLayout.Patches, [outputs, channels, height, width], checked(channels * height * width), outputs, bias);

    /// <summary>How the weight is stored.</summary>
    public WeightLayout Layout { get; }

    /// <summary>Width of the input.</summary>
    public long Inputs { get; }

    /// <summary>Width of the output.</summary>
    public long Outputs { get; }

    /// <summary>The weight as it is stored, see <see cref="Layout"/>.</summary>
    public Parameter Weight => _weight;

    /// <summary>W, (out, in): the weight itself or a view of it in the current dispose scope. Not to be disposed by the caller.</summary>
    public Tensor Matrix => Layout switch
    {
        WeightLayout.Transposed => _weight.t(),
        WeightLayout.Patches => _weight.view(Outputs, Inputs),
        _ => _weight,
    };

    /// <summary>b, (out), or null.</summary>
    public Parameter? Bias => _bias;

    /// <summary>What changes this layer's output, or null.</summary>
    public ILinearAdapter? Adapter { get; internal set; }

    /// <summary>(n, in) → (n, out).</summary>
    public override Tensor forward(Tensor input)
    {
        if (Layout == WeightLayout.Linear)
            return Apply(input);
        using DisposeScope scope = NewDisposeScope();
        return Apply(input).MoveToOuterDisposeScope();
    }

    private Tensor Apply(Tensor input) => Adapter is null ? Kernels.Linear(input, Matrix, _bias) : Adapter.Forward(input, this);
}
