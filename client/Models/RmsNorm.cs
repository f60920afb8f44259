using Federated.Client.Models.Operators;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Federated.Client.Models;

/// <summary>Root-mean-square norm with a learned scale and no bias; see <see cref="ComposedKernels.RmsNorm"/>.</summary>
public sealed class RmsNorm : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "weight")] private readonly Parameter _weight;
    private readonly double _epsilon;

    /// <summary>Creates the norm for vectors of <paramref name="width"/> numbers with an uninitialised scale.</summary>
    public RmsNorm(long width, double epsilon) : base(nameof(RmsNorm))
    {
        (_weight, _epsilon) = (Weights.Allocate(width), epsilon);
        RegisterComponents();
    }

    /// <summary>(n, width) → (n, width).</summary>
    public override Tensor forward(Tensor input) => Kernels.RmsNorm(input, _weight, _epsilon);
}
