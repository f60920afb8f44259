using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Federated.Client.Models;

/// <summary>A linear layer with bias under the name <c>dense</c>, as BERT and ViT nest it.</summary>
internal sealed class DenseLayer : nn.Module
{
    [ComponentName(Name = "dense")] private readonly Projection _dense;

    internal DenseLayer(long inputs, long outputs) : base(nameof(DenseLayer))
    {
        _dense = new(inputs, outputs, bias: true);
        RegisterComponents();
    }

    internal Projection Dense => _dense;
}
