using Federated.Compat.Torch;

namespace TorchSharp;

public static partial class torch
{
    public partial class Tensor
    {
        public bool requires_grad
        {
            get => Describe().RequiresGrad;
            set
            {
                NativeMethods.Check(NativeMethods.ft_set_requires_grad(Handle, value ? 1 : 0));
                GC.KeepAlive(this);
            }
        }

        public Tensor requires_grad_(bool requires_grad = true)
        {
            this.requires_grad = requires_grad;
            return this;
        }

        public Tensor with_requires_grad(bool requires_grad = true) => requires_grad_(requires_grad);

        /// <summary>The accumulated gradient as a new handle on it, or null.</summary>
        public unsafe Tensor? grad
        {
            get
            {
                nint gradient;
                NativeMethods.Check(NativeMethods.ft_get_grad(Handle, &gradient));
                GC.KeepAlive(this);
                return gradient == 0 ? null : new Tensor(gradient);
            }
            set
            {
                NativeMethods.Check(NativeMethods.ft_set_grad(Handle, value is null ? 0 : value.Handle));
                GC.KeepAlive(value);
                GC.KeepAlive(this);
            }
        }

        public void retain_grad()
        {
            NativeMethods.Check(NativeMethods.ft_retain_grad(Handle));
            GC.KeepAlive(this);
        }

        public unsafe void backward()
        {
            nint root = Handle;
            NativeMethods.Check(NativeMethods.ft_backward(&root, null, 1, 0, 0, null, 0));
            GC.KeepAlive(this);
        }

        public void backward(IList<Tensor>? grad_tensors = null, bool retain_graph = false, bool create_graph = false, IList<Tensor>? inputs = null) =>
            autograd.backward([this], grad_tensors, retain_graph, create_graph, inputs);

        public Tensor detach() => Aten.Detach.Call(this);

        public Tensor detach_()
        {
            Aten.DetachInPlace.Run(this);
            return this;
        }
    }

    public static unsafe class autograd
    {
        public static void backward(
            IList<Tensor> tensors, IList<Tensor>? grad_tensors = null, bool? retain_graph = null, bool create_graph = false, IList<Tensor>? inputs = null)
        {
            nint[] roots = Handles(tensors), gradients = Handles(grad_tensors), leaves = Handles(inputs);
            RequireSameCount(tensors, grad_tensors);
            fixed (nint* root = roots, gradient = gradients, leaf = leaves)
                NativeMethods.Check(NativeMethods.ft_backward(
                    root, gradient, roots.Length, (retain_graph ?? create_graph) ? 1 : 0, create_graph ? 1 : 0, leaf, leaves.Length));
            KeepAlive(tensors, grad_tensors, inputs);
        }

        public static void backward(
            Tensor tensor, IList<Tensor>? grad_tensors = null, bool? retain_graph = null, bool create_graph = false, IList<Tensor>? inputs = null) =>
            backward([tensor], grad_tensors, retain_graph, create_graph, inputs);

        public static void backward(
            Tensor tensor, Tensor grad_tensor, bool? retain_graph = null, bool create_graph = false, IList<Tensor>? inputs = null) =>
            backward([tensor], [grad_tensor], retain_graph, create_graph, inputs);

        public static IList<Tensor> grad(
            IList<Tensor> outputs, IList<Tensor> inputs, IList<Tensor>? grad_outputs = null, bool retain_graph = false, bool create_graph = false,
            bool allow_unused = false)
        {
            nint[] roots = Handles(outputs), gradients = Handles(grad_outputs), leaves = Handles(inputs), found = new nint[leaves.Length];
            RequireSameCount(outputs, grad_outputs);
            fixed (nint* root = roots, gradient = gradients, leaf = leaves, result = found)
                NativeMethods.Check(NativeMethods.ft_grad(
                    root, gradient, roots.Length, leaf, leaves.Length, retain_graph || create_graph ? 1 : 0, create_graph ? 1 : 0,
                    allow_unused ? 1 : 0, result));
            KeepAlive(outputs, grad_outputs, inputs);
            // As upstream: a tensor without a handle, not null, for an input that no output depends on.
            return Array.ConvertAll(found, handle => new Tensor(handle, register: handle != 0));
        }

        private static void RequireSameCount(IList<Tensor> tensors, IList<Tensor>? gradients)
        {
            if (gradients is { Count: > 0 } && gradients.Count != tensors.Count)
                throw new ArgumentException($"Got {gradients.Count} gradients for {tensors.Count} tensors; give one for each.");
        }

        // An empty array is pinned as a null pointer, which the native side takes for "not given".
        private static nint[] Handles(IList<Tensor>? tensors)
        {
            nint[] handles = new nint[tensors?.Count ?? 0];
            for (int i = 0; i < handles.Length; i++) handles[i] = tensors![i] is Tensor tensor ? tensor.Handle : 0;
            return handles;
        }

        private static void KeepAlive(IList<Tensor> first, IList<Tensor>? second, IList<Tensor>? third)
        {
            GC.KeepAlive(first);
            GC.KeepAlive(second);
            GC.KeepAlive(third);
        }
    }

    public static IDisposable no_grad() => new GradMode(false);

    public static IDisposable enable_grad(bool enabled = true) => new GradMode(enabled);

    public static IDisposable set_grad_enabled(bool mode = true) => new GradMode(mode);

    public static bool is_grad_enabled() => NativeMethods.ft_grad_enabled() != 0;

    public static IDisposable inference_mode(bool mode = true) => new InferenceMode(mode);

    public static bool is_inference_mode_enabled() => NativeMethods.ft_inference_enabled() != 0;

    /// <summary>Sets whether this thread records operations for autograd, until it is disposed.</summary>
    private sealed class GradMode : IDisposable
    {
        private readonly int _previous = NativeMethods.ft_grad_enabled();
        private bool _closed;

        public GradMode(bool enabled) => NativeMethods.ft_set_grad_enabled(enabled ? 1 : 0);

        public void Dispose()
        {
            if (_closed) return;
            _closed = true;
            NativeMethods.ft_set_grad_enabled(_previous);
        }
    }

    private sealed class InferenceMode(bool mode) : IDisposable
    {
        private nint _guard = NativeMethods.ft_inference_begin(mode ? 1 : 0);

        public void Dispose()
        {
            nint guard = Interlocked.Exchange(ref _guard, 0);
            if (guard != 0) NativeMethods.ft_inference_end(guard);
        }
    }
}
