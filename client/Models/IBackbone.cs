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

    /// <summary>Hidden states after the final norm, (positions, hidden), in the caller's dispose scope.</summary>
    Tensor Encode(SequenceBatch batch, ForwardTrace? trace);
}
