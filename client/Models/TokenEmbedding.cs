using Federated.Client.Adapters;
using Federated.Client.Models.Operators;
using TorchSharp;
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

    /// <summary>Rows after the table's end, or null; not owned.</summary>
    public VirtualTokens? Virtual { get; internal set; }

    /// <summary>(n) ids → (n, width).</summary>
    public override Tensor forward(Tensor input)
    {
        if (Virtual is null)
            return Lookup(input);

        using DisposeScope scope = NewDisposeScope();
        long end = _weight.shape[0];
        Tensor isVirtual = input.ge(end), zero = zeros_like(input);
        Tensor known = Lookup(where(isVirtual, zero, input)), added = Virtual.Rows().index_select(0, where(isVirtual, input - end, zero));
        return where(isVirtual.unsqueeze(1), added, known).MoveToOuterDisposeScope();
    }

    private Tensor Lookup(Tensor ids) => Adapter is null ? Kernels.Embedding(_weight, ids, PaddingId) : Adapter.Forward(ids, this);
}
