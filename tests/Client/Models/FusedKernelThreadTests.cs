using Federated.Client.Models;
using Federated.Client.Tests.Fixtures;
using Federated.Client.Tests.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Federated.Client.Tests.Models;

/// <summary>The number of threads, which is the whole process's, is no input of a fused operator.</summary>
[Collection(nameof(NativeState))]
public sealed class FusedKernelThreadTests
{
    public static TheoryData<string> Names => FusedKernelTests.Names;

    [Theory]
    [MemberData(nameof(Names))]
    public void Operator_TwoThreads_GivesWhatOneGives(string name)
    {
        int before = get_num_threads();
        try
        {
            float[][] one = Run(name, 1), two = Run(name, 2);
            for (int i = 0; i < one.Length; i++)
                Near.Equal(one[i], two[i], 1e-6, $"{name}: result {i}", 1e-6);
        }
        finally
        {
            set_num_threads(before);
        }
    }

    private static float[][] Run(string name, int threads)
    {
        set_num_threads(threads);
        using DisposeScope scope = NewDisposeScope();
        Tensor[] inputs = FusedKernelTests.Operations[name].Draw(_ => true);
        Tensor output = FusedKernelTests.Operations[name].Fused(inputs);
        (output * output).sum().backward();
        return [output.Floats().ToArray(), .. inputs.Select(input => input.grad!.contiguous().Floats().ToArray())];
    }
}
