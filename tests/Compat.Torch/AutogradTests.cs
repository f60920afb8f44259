using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Federated.Compat.Torch.Tests;

public class AutogradTests
{
    public static TheoryData<string> Composites => ["rms_norm", "rotary", "swiglu", "attention", "cross_entropy", "lora_linear"];

    /// <summary>The building blocks of a decoder, composed from operators in float64, against central differences.</summary>
    [Theory]
    [MemberData(nameof(Composites))]
    public void Backward_Composite_MatchesFiniteDifferences(string name)
    {
        using DisposeScope scope = NewDisposeScope();
        manual_seed(11);
        Tensor x = randn(2, 3, 4, dtype: float64), w = randn(4, 4, dtype: float64), v = randn(4, 4, dtype: float64);

        FiniteDifferences.Check(inputs => Composite(name, inputs[0], inputs[1], inputs[2]), x, w, v);
    }

    [Fact]
    public void NoGrad_Scopes_NestAndRestore()
    {
        using Tensor x = ones(2, requires_grad: true);
        Assert.True(is_grad_enabled());
        using (no_grad())
        {
            Assert.False((x * 2).requires_grad);
            using (enable_grad()) Assert.True((x * 2).requires_grad);
            Assert.False(is_grad_enabled());
        }

        Assert.True(is_grad_enabled());
        using (inference_mode())
        {
            Assert.True(is_inference_mode_enabled());
            Assert.False((x * 2).requires_grad);
        }

        Assert.False(is_inference_mode_enabled());
        using (set_grad_enabled(false)) Assert.False(is_grad_enabled());
    }

    [Fact]
    public void Grad_SetGetAccumulateClear_Works()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor x = ones(3, requires_grad: true);
        Assert.Null(x.grad);
        (x * 2).sum().backward();
        (x * 3).sum().backward();
        Assert.Equal([5, 5, 5], x.grad!.data<float>().ToArray());
        x.grad = zeros(3);
        Assert.Equal(0, x.grad!.sum().item<float>());
        x.grad = null;
        Assert.Null(x.grad);
    }

    [Fact]
    public void RetainGrad_InnerTensor_KeepsItsGradient()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor x = ones(3, requires_grad: true), inner = x * 2;
        inner.retain_grad();
        inner.pow(2).sum().backward();

        Assert.False(inner.is_leaf);
        Assert.Equal([4, 4, 4], inner.grad!.data<float>().ToArray());
        Assert.False(inner.detach().requires_grad);
    }

    [Fact]
    public void AutogradGrad_SecondDerivative_IsExact()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor x = tensor([1.0, 2.0, 3.0], requires_grad: true), unused = ones(2, requires_grad: true);
        Tensor first = autograd.grad([x.pow(3).sum()], [x], create_graph: true)[0];
        IList<Tensor> second = autograd.grad([first.sum()], [x, unused], allow_unused: true);

        Assert.Equal([6, 12, 18], second[0].data<double>().ToArray());
        Assert.True(second[1].IsInvalid);
    }

    [Fact]
    public void Backward_WithGradientAndInputs_TouchesOnlyThose()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor a = ones(2, requires_grad: true), b = ones(2, requires_grad: true), product = a * b;
        product.backward([tensor([3f, 4f])], inputs: [a]);

        Assert.Equal([3, 4], a.grad!.data<float>().ToArray());
        Assert.Null(b.grad);
    }

    private static Tensor Composite(string name, Tensor x, Tensor w, Tensor v)
    {
        switch (name)
        {
            case "rms_norm":
                return x * (x.pow(2).mean([-1], keepdim: true) + 1e-5).rsqrt() * w[0];
            case "rotary":
                Tensor angles = arange(3, dtype: float64).unsqueeze(1) * tensor([1.0, 0.1]);
                Tensor cosine = cat([angles.cos(), angles.cos()], -1), sine = cat([angles.sin(), angles.sin()], -1);
                Tensor[] halves = x.chunk(2, -1);
                return (x * cosine) + (cat([-halves[1], halves[0]], -1) * sine);
            case "swiglu":
                return functional.silu(functional.linear(x, w)) * functional.linear(x, v);
            case "attention":
                return functional.scaled_dot_product_attention(x, functional.linear(x, w), functional.linear(x, v), is_casual: true);
            case "cross_entropy":
                return functional.cross_entropy(functional.linear(x, w).view(-1, 4), tensor([0L, 3L, -100L, 1L, 2L, 2L])) + v.sum();
            default:
                return functional.linear(x, w) + (functional.linear(functional.linear(x, v.narrow(0, 0, 2)), v.narrow(0, 2, 2).t()) * 0.5);
        }
    }
}
