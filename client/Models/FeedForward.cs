using TorchSharp;
using static TorchSharp.torch;

namespace Federated.Client.Models;

/// <summary>down(f(up(x))), the feed-forward layer of most transformers; architectures differ in the names of the two projections.</summary>
internal sealed class FeedForward : nn.Module<Tensor, Tensor>
{
    private readonly Projection _up, _down;
    private readonly Activation _activation;

    /// <summary>Puts the layer together.</summary>
    /// <param name="up">The wide projection under its name.</param>
    /// <param name="activation">The function between the two.</param>
    /// <param name="down">The projection back under its name.</param>
    internal FeedForward((string Name, Projection Layer) up, Activation activation, (string Name, Projection Layer) down) : base(nameof(FeedForward))
    {
        (_up, _activation, _down) = (up.Layer, activation, down.Layer);
        register_module(up.Name, _up);
        register_module(down.Name, _down);
    }

    /// <summary>(n, hidden) → (n, hidden).</summary>
    public override Tensor forward(Tensor input)
    {
        using DisposeScope scope = NewDisposeScope();
        return _down.call(_activation.Apply(_up.call(input))).MoveToOuterDisposeScope();
    }
}
