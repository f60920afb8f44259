using Federated.Coordinator.Aggregation;
using Federated.Shared.Tensors;

namespace Federated.Coordinator.Tests.Aggregation;

public class FoldPipelineTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(9)]
    public void Run_ManySteps_WritesInOrder(int threads)
    {
        const int Count = 500;
        using MemoryStream stream = new();
        using (SafetensorsWriter writer = new(stream, [TensorInfo.Declare("x", DType.F32, Count)], leaveOpen: true))
        {
            FoldPipeline.Run([.. Enumerable.Range(0, Count).Select(i => new Number(i))], writer, threads, CancellationToken.None);
            writer.Complete();
        }

        float[] written = new float[Count];
        Buffer.BlockCopy(stream.ToArray(), (int)stream.Length - (Count * sizeof(float)), written, 0, Count * sizeof(float));
        Assert.Equal(Enumerable.Range(0, Count).Select(i => (float)i), written);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Run_TwoStepsFail_ReportsTheFirstInOrder(int threads)
    {
        // With several threads the later step fails first: the earlier one waits until it has.
        using ManualResetEventSlim laterFailed = new(initialState: threads == 1);
        using SafetensorsWriter writer = new(new MemoryStream(), [TensorInfo.Declare("x", DType.F32, 3)]);
        FoldStep[] steps =
        [
            new Failing("first", laterFailed.Wait),
            new Failing("second", laterFailed.Set),
            new Number(2),
        ];
        Assert.Equal("first", Assert.Throws<AggregationException>(() => FoldPipeline.Run(steps, writer, threads, CancellationToken.None)).Message);
    }

    private sealed class Number(int value) : FoldStep
    {
        public override void Compute(FoldScratch scratch, CancellationToken cancellation) => scratch.Floats(0, 1)[0] = value;

        public override void Write(SafetensorsWriter writer, FoldScratch scratch) => writer.WriteTensor("x", scratch.Floats(0, 1));
    }

    private sealed class Failing(string message, Action before) : FoldStep
    {
        public override void Compute(FoldScratch scratch, CancellationToken cancellation)
        {
            before();
            throw new AggregationException(message);
        }

        public override void Write(SafetensorsWriter writer, FoldScratch scratch) => throw new InvalidOperationException("A failed step is not written.");
    }
}
