using Federated.Client.Models.Operators;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Federated.Client.Models;

/// <summary>Layer norm with a learned scale and shift; see <see cref="ComposedKernels.LayerNorm"/>.</summary>
public sealed class LayerNorm : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "weight")] private readonly Parameter _weight;
    [ComponentName(Name = "bias")] private readonly Parameter _bias;
    private readonly double _epsilon;

    /// <summary>Creates the norm for vectors of <paramref name="width"/> numbers with an uninitialised scale and shift.</summary>
    public LayerNorm(long width, double epsilon) : base(nameof(LayerNorm))
    {
        (_weight, _bias, _epsilon) = (Weights.Allocate(width), Weights.Allocate(width), epsilon);
        RegisterComponents();
    }

    /// <summary>(n, width) → (n, width).</summary>
    public override Tensor forward(Tensor input) => Kernels.LayerNorm(input, _weight, _bias, _epsilon);
}
