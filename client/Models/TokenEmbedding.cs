using Federated.Client.Adapters;
using Federated.Client.Models.Operators;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Federated.Client.Models;

/// <summary>A table of vectors looked up by id; the row of the padding id gets no gradient from the lookup, as in PyTorch.</summary>
public sealed class TokenEmbedding : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "weight")] private readonly Parameter _weight;

    /// <summary>Creates the table, (count, width), with uninitialised rows.</summary>
    public TokenEmbedding(long count, long width, int? paddingId) : base(nameof(TokenEmbedding))
    {
        (_weight, PaddingId) = (Weights.Allocate(count, width), paddingId);
        RegisterComponents();
    }

    /// <summary>The table, (count, width).</summary>
    public Parameter Weight => _weight;

    /// <summary>The id whose row gets no gradient from the lookup, or null.</summary>
    public int? PaddingId { get; }

    /// <summary>What changes the rows, or null. Not owned, and not a submodule, as <see cref="Projection.Adapter"/>.</summary>
    public IEmbeddingAdapter? Adapter { get; internal set; }

    /// <summary>(n) ids → (n, width).</summary>
    public override Tensor forward(Tensor input) => Adapter is null ? Kernels.Embedding(_weight, input, PaddingId) : Adapter.Forward(input, this);
}
