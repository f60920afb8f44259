using Federated.Client.Models;
using Federated.Shared.Peft;

namespace Federated.Client.Adapters;

/// <summary>Shapes of LoKr's factors for one layer: (a·c, b·d) = (a, b) ⊗ (c, d), each factor whole or split in two.</summary>
/// <param name="Left">Shape of w1, or of w1_a and w1_b.</param>
/// <param name="Right">Shape of w2, or of w2_a and w2_b.</param>
public sealed record LokrShape(IReadOnlyList<long[]> Left, IReadOnlyList<long[]> Right)
{
    /// <summary>Names of the tensors, the left factor's first.</summary>
    public IEnumerable<string> Names => [.. NamesOf("lokr_w1", Left), .. NamesOf("lokr_w2", Right)];

    /// <summary>The shapes that PEFT gives a layer.</summary>
    /// <param name="layer">The layer; of a convolution only the channels are split, the kernel's pixels go to the right factor.</param>
    /// <param name="rank">r.</param>
    /// <param name="config">The settings.</param>
    public static LokrShape Of(Projection layer, int rank, LokrConfig config)
    {
        long[] kernel = layer.Layout == WeightLayout.Patches ? layer.Weight.shape[2..] : [];
        (long leftRows, long rightRows) = Split(layer.Outputs, config.DecomposeFactor);
        (long leftColumns, long rightColumns) = Split(kernel.Length > 0 ? layer.Weight.shape[1] : layer.Inputs, config.DecomposeFactor);
        bool splitLeft = config.DecomposeBoth && 2L * rank < Math.Max(leftRows, leftColumns), splitRight = 2L * rank < Math.Max(rightRows, rightColumns);
        return new(Factor(leftRows, leftColumns, [], rank, splitLeft), Factor(rightRows, rightColumns, kernel, rank, splitRight));
    }

    /// <summary>Two factors of a width, the lower first: the wanted one if it divides, else the most nearly equal ones whose lower one is not above it.</summary>
    internal static (long Low, long High) Split(long width, int wanted)
    {
        if (wanted > 0 && width % wanted == 0)
            return (wanted, width / wanted);

        // Sums of two factors fall until they are nearly equal; so the search may end at the first that does not.
        long low = 1, limit = wanted == -1 ? width : wanted;
        for (long next = 2; next <= limit && next * next <= width; next++)
            low = width % next == 0 ? next : low;
        return (low, width / low);
    }

    private static long[][] Factor(long rows, long columns, long[] kernel, int rank, bool split) =>
        split ? [[rows, rank], [rank, kernel.Aggregate(columns, (size, pixels) => size * pixels)]] : [[rows, columns, .. kernel]];

    private static string[] NamesOf(string factor, IReadOnlyList<long[]> shapes) => shapes.Count == 1 ? [factor] : [factor + "_a", factor + "_b"];
}
