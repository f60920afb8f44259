using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Federated.Client.Models;

/// <summary>An architecture without a head: token ids in, one hidden vector a position out. Implementations are torch modules.</summary>
public interface IBackbone
{
    /// <summary>The module that holds the parameters, named as in Hugging Face below the backbone's own prefix.</summary>
    nn.Module Module { get; }

    /// <summary>The token embedding table, (vocabulary, hidden), which a tied output head uses too.</summary>
    Parameter TokenTable { get; }

    /// <summary>Hidden states after the final norm, (n, hidden), in the caller's dispose scope.</summary>
    /// <param name="batch">The tokens.</param>
    /// <param name="positions">The n positions that are wanted; null for all. What only the others need is not computed.</param>
    /// <param name="trace">Takes what is computed on the way, at all positions whichever are wanted; null for none.</param>
    Tensor Encode(SequenceBatch batch, long[]? positions = null, ForwardTrace? trace = null);
}
