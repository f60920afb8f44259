using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Federated.Compat.Torch.Tests;

public class OptimizerStateTests
{
    [Theory]
    [InlineData("adamw")]
    [InlineData("amsgrad")]
    [InlineData("sgd")]
    public void SaveLoadState_MidwayThroughTraining_ContinuesIdentically(string kind)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor start = linspace(-1, 1, 6);
        Parameter one = Parameter(start.clone());
        using OptimizerHelper first = Make(kind, one);
        Train(first, one, 3);

        using MemoryStream stream = new();
        first.save_state_dict(new BinaryWriter(stream));
        Parameter two = Parameter(one.detach().clone());
        using OptimizerHelper second = Make(kind, two);
        stream.Position = 0;
        second.load_state_dict(new BinaryReader(stream));
        Train(first, one, 3);
        Train(second, two, 3);

        Assert.Equal(one.data<float>().ToArray(), two.data<float>().ToArray());
        Assert.True(first.state_dict().State[0].ApproximatelyEquals(second.state_dict().State[0]));
    }

    [Fact]
    public void LoadState_OfAnotherKind_Throws()
    {
        using Parameter parameter = Parameter(ones(2));
        using SGD sgd = optim.SGD([parameter], 0.1);
        using AdamW adam = optim.AdamW([parameter]);
        using MemoryStream stream = new();
        sgd.save_state_dict(new BinaryWriter(stream));
        stream.Position = 0;

        Assert.Throws<InvalidDataException>(() => adam.load_state_dict(new BinaryReader(stream)));
    }

    [Fact]
    public void ParamGroups_OwnRates_AreUsedPerGroup()
    {
        using DisposeScope scope = NewDisposeScope();
        Parameter fast = Parameter(zeros(1)), slow = Parameter(zeros(1)), frozen = Parameter(zeros(1));
        using AdamW optimizer = optim.AdamW([new AdamW.ParamGroup([fast], lr: 0.5), new AdamW.ParamGroup([slow], new AdamW.Options { LearningRate = 0.1 })]);
        optimizer.add_param_group(new AdamW.ParamGroup { Parameters = [frozen] });
        (fast.grad, slow.grad) = (ones(1), ones(1));

        optimizer.step();

        Assert.Equal(-0.5f, fast.item<float>(), 1e-5f);
        Assert.Equal(-0.1f, slow.item<float>(), 1e-5f);
        Assert.Equal(0, frozen.item<float>());
        Assert.Equal([0.5, 0.1, 0.001], optimizer.ParamGroups.Select(g => g.LearningRate));
        optimizer.ParamGroups.First().LearningRate = 0;
        optimizer.step();
        Assert.Equal(-0.5f, fast.item<float>(), 1e-5f);
    }

    [Fact]
    public void Step_Closure_RunsWithGradientsAndReturnsTheLoss()
    {
        using DisposeScope scope = NewDisposeScope();
        Parameter parameter = Parameter(ones(1));
        using SGD optimizer = optim.SGD([parameter], 0.25);

        Tensor loss = optimizer.step(() =>
        {
            Tensor value = parameter.pow(2).sum();
            value.backward();
            return value;
        })!;

        Assert.Equal(1, loss.item<float>());
        Assert.Equal(0.5f, parameter.item<float>());
    }

    [Theory]
    [InlineData(-1, 0.9, 0.999, 1e-8, 0)]
    [InlineData(1e-3, 1, 0.999, 1e-8, 0)]
    [InlineData(1e-3, 0.9, -0.1, 1e-8, 0)]
    [InlineData(1e-3, 0.9, 0.999, -1, 0)]
    [InlineData(1e-3, 0.9, 0.999, 1e-8, -1)]
#if !OFFICIAL_PACKAGES
    [InlineData(double.NaN, 0.9, 0.999, 1e-8, 0)]
#endif
    public void AdamW_OptionOutOfRange_Throws(double lr, double beta1, double beta2, double eps, double decay) =>
        Assert.Throws<ArgumentException>(() => optim.AdamW(Array.Empty<Parameter>(), lr, beta1, beta2, eps, decay));

    private static OptimizerHelper Make(string kind, Parameter parameter) => kind == "sgd"
        ? optim.SGD([parameter], 0.1, momentum: 0.9)
        : optim.AdamW([parameter], 0.1, weight_decay: 0.1, amsgrad: kind == "amsgrad");

    private static void Train(optim.Optimizer optimizer, Parameter parameter, int steps)
    {
        for (int i = 0; i < steps; i++)
        {
            optimizer.zero_grad();
            parameter.sin().sum().backward();
            optimizer.step();
        }
    }
}
