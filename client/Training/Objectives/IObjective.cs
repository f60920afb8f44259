using Federated.Client.Models;
using static TorchSharp.torch;

namespace Federated.Client.Training.Objectives;

/// <summary>What training lowers: a sum of terms over a batch, of which the trainer takes the mean over a whole step.</summary>
public interface IObjective
{
    /// <summary>The name a plan or a command line chooses it by.</summary>
    string Name { get; }

    /// <summary>How many terms the batch has; 0 when nothing in it is to be learned.</summary>
    /// <exception cref="ArgumentException">The batch lacks the labels this objective needs.</exception>
    long Terms(TrainingBatch batch);

    /// <summary>The sum of the terms, a scalar in the caller's dispose scope.</summary>
    /// <exception cref="ArgumentException">The batch lacks the labels this objective needs, or the model its head.</exception>
    Tensor Sum(PretrainedModel model, TrainingBatch batch);
}
