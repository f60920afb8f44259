using System.Text.Json;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Federated.Compat.Torch.Tests;

/// <summary>Random numbers, optimizers, schedules and clipping against Python's torch.</summary>
public class TrainingGoldenTests
{
    private static readonly JsonElement Golden = GoldenData.Load("training.json");

    private static readonly Dictionary<string, Func<Parameter[], optim.Optimizer>> Optimizers = new(StringComparer.Ordinal)
    {
        ["adamw"] = p => optim.AdamW(p, lr: 0.05),
        ["adamw_decay"] = p => optim.AdamW(p, lr: 0.05, beta1: 0.8, beta2: 0.95, eps: 1e-6, weight_decay: 0.1),
        ["adamw_amsgrad"] = p => optim.AdamW(p, lr: 0.05, weight_decay: 0.01, amsgrad: true),
        ["adamw_maximize"] = p => optim.AdamW(p, lr: 0.05, weight_decay: 0.01, maximize: true),
        ["sgd"] = p => optim.SGD(p, 0.05),
        ["sgd_momentum"] = p => optim.SGD(p, 0.05, momentum: 0.9, dampening: 0.1, weight_decay: 0.02),
        ["sgd_nesterov"] = p => optim.SGD(p, 0.05, momentum: 0.9, nesterov: true),
    };

    public static TheoryData<string> OptimizerNames => [.. Optimizers.Keys];

    [Fact]
    public void Draws_OneSeed_MatchPythonInOrder()
    {
        using DisposeScope scope = NewDisposeScope();
        manual_seed(20240501);
        Dictionary<string, Tensor> drawn = new(StringComparer.Ordinal)
        {
            ["randn_small"] = randn(5),
            ["randn_large"] = randn(4, 8),
            ["rand"] = rand(3, 3),
            ["randint"] = randint(-5, 100, [7L]),
            ["randperm"] = randperm(11),
            ["normal_"] = empty(6).normal_(2, 3),
            ["uniform_"] = empty(6).uniform_(-1, 4),
            ["bernoulli"] = full(9, 0.3).bernoulli(),
            ["multinomial"] = tensor([0.1f, 0.2f, 0.3f, 0.4f]).multinomial(6, replacement: true),
            ["dropout"] = functional.dropout(ones(20), 0.4, training: true),
            ["randn_double"] = randn(3, dtype: float64),
            ["kaiming_uniform_"] = init.kaiming_uniform_(empty(3, 5), a: Math.Sqrt(5)),
            ["xavier_uniform_"] = init.xavier_uniform_(empty(3, 5)),
            ["kaiming_normal_"] = init.kaiming_normal_(empty(3, 5), nonlinearity: init.NonlinearityType.ReLU),
            ["trunc_normal_"] = init.trunc_normal_(empty(4, 4), 0, 0.02, -0.04, 0.04),
        };
        Linear linear = Linear(4, 3);
        (drawn["linear_weight"], drawn["linear_bias"]) = (linear.weight, linear.bias!);
        drawn["embedding"] = Embedding(4, 3, padding_idx: 1).weight!;
        using Generator own = new(99);
        drawn["own_generator"] = randn(4, generator: own);
        drawn["after"] = rand(2);

        foreach (JsonProperty expected in Golden.GetProperty("draws").EnumerateObject())
        {
#if OFFICIAL_PACKAGES
            // It multiplies by the mean and adds the deviation, where PyTorch does the reverse.
            if (expected.Name == "trunc_normal_") continue;
#endif
            GoldenData.Equal(expected.Value, drawn[expected.Name], expected.Name, 1e-7);
        }
    }

    [Theory]
    [MemberData(nameof(OptimizerNames))]
    public void Step_SixTimes_FollowsPythonsPath(string name)
    {
        using DisposeScope scope = NewDisposeScope();
        JsonElement golden = Golden.GetProperty("optimizers").GetProperty(name);
        Parameter[] parameters = [.. golden.GetProperty("start").EnumerateArray().Select(e => Parameter(GoldenData.Tensor(e)))];
        using optim.Optimizer optimizer = Optimizers[name](parameters);

        int step = 0;
        foreach (JsonElement expected in golden.GetProperty("path").EnumerateArray())
        {
            optimizer.zero_grad();
            (((parameters[0] * parameters[1]).sin().sum() * (1 + (0.5 * step))) + parameters[1].pow(2).sum()).backward();
            optimizer.step();
            for (int i = 0; i < parameters.Length; i++)
                GoldenData.Equal(expected[i], parameters[i], $"{name}, step {step}, parameter {i}", 2e-6);
            step++;
        }
    }

    [Fact]
    public void Step_HalfPrecisionAndStridedParameters_FollowTheComposedForm()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor start = linspace(-1, 1, 12).view(3, 4), gradient = linspace(1, 2, 12).view(3, 4).cos();
        Parameter dense = Parameter(start.clone()), strided = Parameter(start.t().contiguous().t()), half = Parameter(start.bfloat16());
        (dense.grad, strided.grad, half.grad) = (gradient, gradient, gradient.bfloat16());
        using AdamW optimizer = optim.AdamW([dense, strided, half], lr: 0.1, weight_decay: 0.1);

        for (int i = 0; i < 3; i++) optimizer.step();

        Assert.True(dense.detach().allclose(strided, rtol: 1e-6));
        Assert.True(dense.detach().allclose(half.to(float32), rtol: 0.02, atol: 0.02));
    }

    [Theory]
    [InlineData("step")]
    [InlineData("lambda")]
    [InlineData("linear")]
    [InlineData("cosine")]
    public void Schedule_TwelveSteps_MatchesPython(string name)
    {
        using Parameter parameter = Parameter(zeros(1));
        using SGD optimizer = optim.SGD([parameter], 0.4);
        optim.lr_scheduler.LRScheduler scheduler = name switch
        {
            "step" => optim.lr_scheduler.StepLR(optimizer, 4, 0.5),
            "lambda" => optim.lr_scheduler.LambdaLR(optimizer, epoch => 1.0 / (1 + epoch)),
            "linear" => optim.lr_scheduler.LinearLR(optimizer, 0.25, 1.0, 6),
            _ => optim.lr_scheduler.CosineAnnealingLR(optimizer, 8, 0.01),
        };

        List<double> rates = [optimizer.ParamGroups.Single().LearningRate];
        for (int i = 0; i < 12; i++)
        {
            scheduler.step();
            rates.Add(optimizer.ParamGroups.Single().LearningRate);
        }

        double[] expected = [.. Golden.GetProperty("rates").GetProperty(name).EnumerateArray().Select(e => e.GetDouble())];
        Assert.Equal(expected, rates, (a, b) => Math.Abs(a - b) < 1e-12);
        Assert.Equal(rates[^1], scheduler.get_last_lr().Single());
    }

    [Fact]
    public void ClipGradNorm_SeveralNorms_MatchesPython()
    {
        using DisposeScope scope = NewDisposeScope();
        foreach (JsonElement golden in Golden.GetProperty("clipping").EnumerateArray())
        {
            JsonElement type = golden.GetProperty("norm_type");
            Parameter[] parameters = [.. golden.GetProperty("before").EnumerateArray().Select(entry =>
            {
                Tensor gradient = GoldenData.Tensor(entry);
                Parameter parameter = Parameter(zeros_like(gradient));
                parameter.grad = gradient;
                return parameter;
            })];

            double total = nn.utils.clip_grad_norm_(
                parameters, golden.GetProperty("limit").GetDouble(), type.ValueKind == JsonValueKind.String ? double.PositiveInfinity : type.GetDouble());

            Assert.Equal(golden.GetProperty("total").GetDouble(), total, tolerance: 1e-6);
            foreach ((JsonElement expected, Parameter parameter) in golden.GetProperty("after").EnumerateArray().Zip(parameters))
                GoldenData.Equal(expected, parameter.grad!, "clipped gradient", 1e-6);
        }
    }
}
