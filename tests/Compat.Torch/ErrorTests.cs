using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Federated.Compat.Torch.Tests;

/// <summary>No C++ exception crosses: each becomes a managed one with libtorch's text, and the process goes on.</summary>
public class ErrorTests
{
    public static TheoryData<string, string> Mistakes => new()
    {
        { "view", "shape '[4]' is invalid for input of size 6" },
        { "index", "index 7 out of range for tensor of size [2, 3]" },
        { "grad of integers", "nly Tensors of floating point and complex dtype can require gradients" },
        { "backward of a vector", "grad can be implicitly created only for scalar outputs" },
        { "backward twice", "Trying to backward through the graph a second time" },
        { "in place on a leaf", "a leaf Variable that requires grad is being used in an in-place operation" },
        { "classes", "Target 9 is out of bounds" },
        { "negative size", "Trying to create tensor with negative dimension -1" },
        { "huge size", "" },
        { "gradient of another shape", "" },
        { "bmm", "" },
#if !OFFICIAL_PACKAGES
        // The official package lets libtorch's exception end the process in the first four, takes the gradient, and dereferences the null.
        { "matmul", "mat1 and mat2 shapes cannot be multiplied (2x3 and 2x3)" },
        { "types", "expected scalar type Float but found Double" },
        { "threads", "the number of threads must be positive, got 0" },
        { "generator state", "" },
        { "assigned gradient of another shape", "a gradient has the shape and type of its tensor, [2, 3] Float, got [3, 2] Float" },
        { "null for a tensor", "Expected Tensor but got None" },
#endif
    };

    [Theory]
    [MemberData(nameof(Mistakes))]
    public void Call_Mistake_ThrowsLibtorchsText(string mistake, string text)
    {
        using DisposeScope scope = NewDisposeScope();
        ExternalException exception = Assert.Throws<ExternalException>(() => Make(mistake));

        Assert.Contains(text, exception.Message, StringComparison.Ordinal);
        Assert.Equal(3, ones(3).sum().item<float>());
    }

    [Fact]
    public void Call_DisposedTensor_ThrowsManaged()
    {
        Tensor tensor = ones(2);
        tensor.Dispose();

        Assert.Throws<InvalidOperationException>(() => tensor + 1);
    }

    [Fact]
    public void Call_ManyFailures_LeakNothing()
    {
        using Tensor left = ones(2, 3), right = ones(2, 3);
        long before = Live.Settled;
        for (int i = 0; i < 100; i++) Assert.Throws<ExternalException>(() => left.mm(right));

        Assert.Equal(before, Live.Tensors);
    }

    private static void Make(string mistake)
    {
        Tensor six = ones(2, 3);
        switch (mistake)
        {
            case "matmul":
                six.matmul(six);
                break;
            case "bmm":
                six.unsqueeze(0).bmm(six.unsqueeze(0));
                break;
            case "view":
                six.view(4);
                break;
            case "index":
                _ = six[7];
                break;
            case "types":
                six.matmul(ones(3, 2, dtype: float64));
                break;
            case "grad of integers":
                _ = arange(3).requires_grad_();
                break;
            case "backward of a vector":
                (six.requires_grad_() * 2).backward();
                break;
            case "backward twice":
                Tensor loss = six.requires_grad_().pow(2).sum();
                loss.backward();
                loss.backward();
                break;
            case "in place on a leaf":
                six.requires_grad_().add_(1);
                break;
            case "classes":
                functional.cross_entropy(six, tensor([1L, 9L]));
                break;
            case "negative size":
                empty(-1);
                break;
            case "huge size":
                empty([1L << 40, 1L << 40]);
                break;
            case "threads":
                set_num_threads(0);
                break;
            case "generator state":
                using (Generator generator = new(1)) generator.set_state(ones(3));
                break;
            case "assigned gradient of another shape":
                six.grad = ones(3, 2);
                break;
            case "null for a tensor":
                functional.linear(six, null!);
                break;
            case "gradient of another shape":
                autograd.backward(six.requires_grad_() * 2, ones(5));
                break;
        }
    }
}
