using System.Diagnostics.CodeAnalysis;
using Federated.Shared.Peft;
using Federated.Shared.Tensors;

namespace Federated.Coordinator.Aggregation;

/// <summary>The two factors of one adapted layer as every update of a round holds them; ranks may differ from update to update.</summary>
/// <remarks>A is (r, n...), B is (m, r, 1...): trailing dimensions of a convolution are part of n. Which is which is said by their names.</remarks>
internal sealed class LoraPair
{
    private const int MostValues = 1 << 30;

    private readonly CohortTensor _a;
    private readonly CohortTensor _b;
    private readonly int[] _ranks;

    /// <summary>Checks the shapes.</summary>
    /// <param name="round">The round.</param>
    /// <param name="layer">Name of the layer.</param>
    /// <param name="a">Factor A in the global adapter.</param>
    /// <param name="b">Factor B in the global adapter.</param>
    /// <exception cref="AggregationException">Factors that do not multiply, or an update whose shapes do not fit.</exception>
    public LoraPair(AggregationRound round, string layer, TensorInfo a, TensorInfo b)
    {
        Layer = layer;
        _a = new(round, a);
        _b = new(round, b);
        if (a.Shape.Count < 2 || b.Shape.Count < 2 || a.Shape[0] != b.Shape[1] || a.ElementCount == 0 || b.ElementCount != b.Shape[0] * b.Shape[1]
            || !FitsBuffers(a.Shape[0], a.ElementCount / a.Shape[0], b.Shape[0]))
        {
            throw new AggregationException(
                $"Layer '{layer}' of the global adapter: A has shape ({string.Join(", ", a.Shape)}) and B ({string.Join(", ", b.Shape)}); "
                + $"A (r, n) and B (m, r) of one rank r were expected, with at most {MostValues} values each when r and n are rounded up to multiples of {FoldKernels.Lanes}.");
        }

        Rank = (int)a.Shape[0];
        Inputs = (int)(a.ElementCount / Rank);
        Outputs = (int)b.Shape[0];
        _ranks = [.. Enumerable.Range(0, round.Updates.Count).Select(CheckRank)];
    }

    /// <summary>Name of the layer.</summary>
    public string Layer { get; }

    /// <summary>Rank r of the global adapter: no update has more.</summary>
    public int Rank { get; }

    /// <summary>Columns n of A.</summary>
    public int Inputs { get; }

    /// <summary>Rows m of B.</summary>
    public int Outputs { get; }

    /// <summary>Name of factor A.</summary>
    public string NameOfA => _a.Global.Name;

    /// <summary>Name of factor B.</summary>
    public string NameOfB => _b.Global.Name;

    /// <summary>Rank r_k of update <paramref name="k"/>, from 1 to <see cref="Rank"/>; the missing rows of A and columns of B are zero.</summary>
    public int RankOf(int k) => _ranks[k];

    /// <summary>Reads the r_k rows of A_k.</summary>
    public void ReadA(int k, Span<float> values) => _a.Read(k, 0, values);

    /// <summary>Reads <paramref name="values"/> of one row of A_k, from column <paramref name="column"/> on.</summary>
    public void ReadA(int k, int row, int column, Span<float> values) => _a.Read(k, ((long)row * Inputs) + column, values);

    /// <summary>Reads <paramref name="values"/> of B_k from row <paramref name="row"/> on; rows are r_k long.</summary>
    public void ReadB(int k, int row, Span<float> values) => _b.Read(k, (long)row * _ranks[k], values);

    /// <summary>Refuses an aggregate of A that is not finite.</summary>
    public void RequireFiniteA(ReadOnlySpan<float> result) => _a.RequireFinite(0, result);

    /// <summary>Refuses an aggregate of B that is not finite.</summary>
    public void RequireFiniteB(ReadOnlySpan<float> result) => _b.RequireFinite(0, result);

    /// <summary>Whether a tensor is a LoRA factor, by its name.</summary>
    /// <param name="name">Name of the tensor.</param>
    /// <param name="layer">The adapted module, when it is.</param>
    public static bool IsFactor(string name, [NotNullWhen(true)] out string? layer)
    {
        layer = PeftNames.TryParse(name, out PeftTensorName? parts)
            && parts.Part is PeftPart.LoraA or PeftPart.LoraB or PeftPart.EmbeddingA or PeftPart.EmbeddingB
            ? parts.Module
            : null;
        return layer is not null;
    }

    /// <summary>Whether two names are those of A and B of one layer, in this order.</summary>
    public static bool ArePartners(string a, string b) =>
        PeftNames.TryParse(a, out PeftTensorName? left) && PeftNames.TryParse(b, out PeftTensorName? right) && left.Module == right.Module
        && (left.Part, right.Part) is (PeftPart.LoraA, PeftPart.LoraB) or (PeftPart.EmbeddingA, PeftPart.EmbeddingB);

    // The rules hold factors in arrays whose rows are padded: a rank of 1 takes as much as one of 8.
    private static bool FitsBuffers(long rank, long inputs, long outputs) =>
        rank <= MostValues && inputs <= MostValues && outputs <= MostValues
        && (long)FoldKernels.Pad((int)rank) * Math.Max(FoldKernels.Pad((int)inputs), outputs) <= MostValues;

    private int CheckRank(int k)
    {
        IReadOnlyList<long> a = _a.Shape(k), b = _b.Shape(k);
        if (a.Count != _a.Global.Shape.Count || a[0] < 1 || a[0] > Rank || !a.Skip(1).SequenceEqual(_a.Global.Shape.Skip(1)))
            throw _a.WrongShape(k, $"({string.Join(", ", _a.Global.Shape)}), or fewer rows,");
        if (b.Count != _b.Global.Shape.Count || b[0] != Outputs || b[1] != a[0] || !b.Skip(2).SequenceEqual(_b.Global.Shape.Skip(2)))
            throw _b.WrongShape(k, $"({string.Join(", ", [Outputs, a[0], .. _b.Global.Shape.Skip(2)])}), as the rank of its A is {a[0]},");

        return (int)a[0];
    }
}
