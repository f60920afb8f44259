using Federated.Client.Models;
using Federated.Client.Tests.Fixtures;
using TorchSharp;
using static TorchSharp.torch;

namespace Federated.Client.Tests.Models;

public sealed class ActivationTests
{
    // Values at -3, -0.5, 1 and 2, from the formulas by Python's math module.
    private static readonly float[] Gelu = [-0.00404969f, -0.15426877f, 0.84134475f, 1.95449974f], ByTanh = [-0.00363739f, -0.15428599f, 0.84119199f, 1.95459769f];
    private static readonly float[] BySigmoid = [-0.01807131f, -0.14961156f, 0.84579577f, 1.93565862f], Silu = [-0.14227762f, -0.18877033f, 0.73105858f, 1.76159416f];

    public static TheoryData<string, float[]> Values => new()
    {
        { "gelu", Gelu }, { "gelu_python", Gelu }, { "gelu_new", ByTanh }, { "gelu_fast", ByTanh }, { "gelu_accurate", ByTanh }, { "gelu_pytorch_tanh", ByTanh },
        { "quick_gelu", BySigmoid }, { "relu", [0, 0, 1, 2] }, { "silu", Silu }, { "swish", Silu },
        { "sigmoid", [0.04742587f, 0.37754067f, 0.73105858f, 0.88079708f] }, { "tanh", [-0.99505475f, -0.46211716f, 0.76159416f, 0.96402758f] },
    };

    [Theory]
    [MemberData(nameof(Values))]
    public void Apply_EveryName_GivesItsFormula(string name, float[] expected)
    {
        using DisposeScope scope = NewDisposeScope();
        Near.Equal(expected, Activation.Of(name).Apply(tensor(new float[] { -3, -0.5f, 1, 2 }, [4])).Floats(), 1e-6, name);
    }

    [Fact]
    public void Names_AreThoseTested() => Assert.Equal(Values.Select(row => (string)row[0]).Order(StringComparer.Ordinal), Activation.Names);

    [Fact]
    public void Of_UnknownName_ListsTheKnownOnes() =>
        Assert.Contains("gelu_new", Assert.Throws<ArgumentException>(() => Activation.Of("geglu")).Message, StringComparison.Ordinal);
}
