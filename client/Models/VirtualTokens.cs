using static TorchSharp.torch;

namespace Federated.Client.Models;

/// <summary>Vectors that stand before the token vectors of every row, as if the vocabulary went on: virtual token i has the id of the table's end plus i.</summary>
/// <remarks>Source: Lester et al. 2021, arXiv:2104.08691. As in Hugging Face PEFT they have places, positions and logits like any token.</remarks>
public sealed class VirtualTokens
{
    /// <summary>Some virtual tokens.</summary>
    /// <param name="count">Number of them, at least 1.</param>
    /// <param name="rows">Their vectors, (count, width), made in the caller's dispose scope or kept elsewhere.</param>
    public VirtualTokens(int count, Func<Tensor> rows)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        (Count, Rows) = (count, rows);
    }

    /// <summary>Number of them.</summary>
    public int Count { get; }

    /// <summary>Their vectors, (count, width).</summary>
    internal Func<Tensor> Rows { get; }
}
