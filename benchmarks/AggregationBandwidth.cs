using System.Diagnostics;
using System.Numerics.Tensors;

namespace Federated.Benchmarks;

/// <summary>What this machine's memory can do: reading, and a weighted sum of arrays in memory whose accumulator stays in cache.</summary>
internal static class AggregationBandwidth
{
    private const int Inputs = 16;
    private const int Length = 16 * 1024 * 1024;
    private const int Block = 4096;
    private const int Repeats = 5;

    /// <summary>Measures both, on as many threads as there are processors.</summary>
    public static AggregationMeasurement Measure()
    {
        float[][] inputs = [.. Enumerable.Range(0, Inputs).Select(k =>
        {
            float[] values = new float[Length];
            values.AsSpan().Fill(k + 1);
            return values;
        })];
        float[] sum = new float[Length];
        const double Bytes = (double)Inputs * Length * sizeof(float);
        double read = Best(range =>
        {
            foreach (float[] input in inputs)
                _ = TensorPrimitives.Sum<float>(input.AsSpan(range));
        });
        double axpy = Best(range =>
        {
            for (int start = range.Start.Value; start < range.End.Value; start += Block)
            {
                Span<float> block = sum.AsSpan(start, Math.Min(Block, range.End.Value - start));
                for (int k = 0; k < Inputs; k++)
                    TensorPrimitives.MultiplyAdd(inputs[k].AsSpan(start, block.Length), 1f / (k + 1), block, block);
            }
        });
        return new() { ReadBytesPerSecond = Bytes / read, AxpyBytesPerSecond = Bytes / axpy };
    }

    private static double Best(Action<Range> work)
    {
        int threads = Environment.ProcessorCount;
        double best = double.PositiveInfinity;
        for (int i = 0; i < Repeats; i++)
        {
            long start = Stopwatch.GetTimestamp();
            Parallel.For(0, threads, t => work((int)((long)Length * t / threads)..(int)((long)Length * (t + 1) / threads)));
            best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalSeconds);
        }

        return best;
    }
}
