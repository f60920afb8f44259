using Federated.Client.Models.Operators;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Federated.Client.Models;

/// <summary>A table of vectors looked up by id; the row of the padding id gets no gradient from the lookup, as in PyTorch.</summary>
public sealed class TokenEmbedding : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "weight")] private readonly Parameter _weight;
    private readonly int? _paddingId;

    /// <summary>Creates the table, (count, width), with uninitialised rows.</summary>
    public TokenEmbedding(long count, long width, int? paddingId) : base(nameof(TokenEmbedding))
    {
        (_weight, _paddingId) = (Weights.Allocate(count, width), paddingId);
        RegisterComponents();
    }

    /// <summary>The table, (count, width).</summary>
    public Parameter Weight => _weight;

    /// <summary>(n) ids → (n, width).</summary>
    public override Tensor forward(Tensor input) => Kernels.Embedding(_weight, input, _paddingId);
}
