using TorchSharp;
using static TorchSharp.torch;

namespace Federated.Compat.Torch.Tests;

/// <summary>State that the whole process shares: the default generator, threads, the default element type.</summary>
public class ProcessStateTests
{
    [Fact]
    public void ManualSeed_SameSeed_RepeatsAndStateRestores()
    {
        using DisposeScope scope = NewDisposeScope();
        manual_seed(42);
        Assert.Equal(42, random.initial_seed());
        Tensor first = randn(5), state = random.get_rng_state(), second = randn(5);
        random.set_rng_state(state);
        Tensor again = randn(5);
        manual_seed(42);

        Assert.Equal(first.data<float>().ToArray(), randn(5).data<float>().ToArray());
        Assert.Equal(second.data<float>().ToArray(), again.data<float>().ToArray());
        Assert.NotEqual(first.data<float>().ToArray(), second.data<float>().ToArray());
    }

    [Fact]
    public void Generator_OwnState_IsIndependentOfTheDefault()
    {
        using DisposeScope scope = NewDisposeScope();
        using Generator own = new(5), twin = new(5);
        float[] expected = rand(4, generator: own).data<float>().ToArray();
        manual_seed(1);
        _ = rand(100);

        Assert.Equal(expected, rand(4, generator: twin).data<float>().ToArray());
        Assert.Equal(5, own.initial_seed());
        twin.set_state(own.get_state());
        Assert.Equal(rand(3, generator: own).data<float>().ToArray(), rand(3, generator: twin).data<float>().ToArray());
        Assert.NotEqual(own.seed(), own.seed());
    }

    [Fact]
    public void SetNumThreads_OtherThreads_FollowTheCount()
    {
        int before = get_num_threads();
        try
        {
            set_num_threads(1);
            int elsewhere = 0;
            Thread thread = new(() =>
            {
                using Tensor product = ones(64, 64).matmul(ones(64, 64));
                elsewhere = get_num_threads();
                Assert.Equal(64, product[0, 0].item<float>());
            });
            thread.Start();
            thread.Join();

            Assert.Equal((1, 1), (get_num_threads(), elsewhere));
        }
        finally
        {
            set_num_threads(before);
        }
    }

    [Fact]
    public void Operators_ManyThreadsAtOnce_GiveTheSameResults()
    {
        using Tensor left = randn(16, 16), right = randn(16, 16), expected = left.matmul(right);
        long before = Live.Settled;

        Parallel.For(0, 200, _ =>
        {
            using DisposeScope scope = NewDisposeScope();
            Assert.True(left.matmul(right).allclose(expected));
            Assert.Contains("cannot be multiplied", Assert.ThrowsAny<Exception>(() => left.mm(ones(3, 3))).Message, StringComparison.Ordinal);
        });

        Assert.Equal(before, Live.Tensors);
    }

    [Fact]
    public void SetDefaultDtype_Float64_IsUsedByFactoriesAndRestored()
    {
        try
        {
            set_default_dtype(float64);
            Assert.Equal((float64, float64, int64), (zeros(1).dtype, randn(1).dtype, arange(3).dtype));
        }
        finally
        {
            set_default_dtype(float32);
        }

        Assert.Throws<ArgumentException>(() => set_default_dtype(int64));
    }

    [Fact]
    public void Device_Names_AreParsedAndCudaIsRefused()
    {
        Assert.Equal((DeviceType.CPU, "cpu"), (device("cpu").type, CPU.ToString()));
        Assert.Equal((DeviceType.CUDA, 1), (new Device("cuda:1").type, new Device("cuda:1").index));
        Assert.False(cuda.is_available());
        Assert.Throws<InvalidOperationException>(() => zeros(1).cuda());
        Assert.Throws<ArgumentException>(() => device("abacus"));
    }
}
