using Federated.Client.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace Federated.Benchmarks;

/// <summary>The matrix products of the linear layers in one LoRA step, forward and back: what no implementation can leave out.</summary>
/// <remarks>Attention, the low-rank factors and everything elementwise are not among them. Times are CPU times: other programs disturb them least.</remarks>
internal sealed class TrainStepProducts
{
    private const int Tries = 5;
    private readonly List<(long Rows, long Inner, long Columns, int Times)> _products;

    internal TrainStepProducts(LlamaConfig model, SequenceBatch batch)
    {
        long n = batch.Count, hidden = model.HiddenSize, query = model.Heads * model.HeadSize, key = model.KeyValueHeads * model.HeadSize, inner = model.IntermediateSize;
        // Nothing below the first block is trained, so the gradient stops at the outputs of its query, key and value layers.
        int layers = model.Layers, passed = layers - 1;
        _products =
        [
            (n, hidden, query, layers), (n, hidden, key, 2 * layers), (n, query, hidden, layers), (n, hidden, inner, 2 * layers), (n, inner, hidden, layers),
            (n, query, hidden, passed), (n, key, hidden, 2 * passed), (n, hidden, query, layers), (n, inner, hidden, 2 * layers), (n, hidden, inner, layers),
            (n - batch.Rows, hidden, model.VocabularySize, 1), (n - batch.Rows, model.VocabularySize, hidden, 1),
        ];
    }

    /// <summary>Floating-point operations, a multiplication and an addition counted as two.</summary>
    internal double Operations => _products.Sum(product => 2.0 * product.Rows * product.Inner * product.Columns * product.Times);

    /// <summary>CPU seconds that the products alone take.</summary>
    internal double CpuSeconds() => _products.Sum(product => product.Times * Fastest(product.Rows, product.Inner, product.Columns));

    /// <summary>Operations of a large product in a second of CPU time on this machine.</summary>
    internal static double PeakOperationsPerCpuSecond()
    {
        const long size = 1536;
        return 2.0 * size * size * size / Fastest(size, size, size);
    }

    private static double Fastest(long rows, long inner, long columns)
    {
        using IDisposable _ = no_grad();
        using DisposeScope scope = NewDisposeScope();
        Tensor left = ones(rows, inner), right = ones(inner, columns);
        double best = double.PositiveInfinity;
        for (int i = 0; i < Tries; i++)
        {
            TimeSpan used = Environment.CpuUsage.TotalTime;
            left.mm(right).Dispose();
            best = Math.Min(best, (Environment.CpuUsage.TotalTime - used).TotalSeconds);
        }

        return best;
    }
}
