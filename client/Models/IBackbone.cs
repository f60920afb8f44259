using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Federated.Client.Models;

/// <summary>An architecture without a head: tokens or image patches in, one hidden vector a position out. Implementations are torch modules.</summary>
public interface IBackbone
{
    /// <summary>The module that holds the parameters, named as in Hugging Face below the backbone's own prefix.</summary>
    nn.Module Module { get; }

    /// <summary>The token embedding table, (vocabulary, hidden), which a tied output head uses too; null for images.</summary>
    Parameter? TokenTable { get; }

    /// <summary>Hidden states of the wanted positions as the head reads them, (n, hidden), in the caller's dispose scope.</summary>
    /// <param name="input">What to read, of the kind the architecture is for.</param>
    /// <param name="options">Which positions are wanted, and what to read from or write to besides.</param>
    /// <exception cref="ArgumentException">The input is of another kind, or the architecture cannot do what the options ask for.</exception>
    Tensor Encode(ModelInput input, ForwardOptions options);
}
