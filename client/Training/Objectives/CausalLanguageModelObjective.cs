using Federated.Client.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace Federated.Client.Training.Objectives;

/// <summary>Cross-entropy of each position's prediction against the next token of the same row.</summary>
public sealed class CausalLanguageModelObjective : IObjective
{
    /// <inheritdoc/>
    public string Name => KnownObjectives.CausalLanguageModel;

    /// <inheritdoc/>
    public long Terms(TrainingBatch batch) => NextTokens.Of(batch, Name).Targets.Length;

    /// <inheritdoc/>
    public Tensor Sum(PretrainedModel model, TrainingBatch batch)
    {
        if (model.Head is not LanguageModelHead head)
            throw new ArgumentException($"The objective '{Name}' needs a language-model head; the model is a {model.Config.ClassName}.", nameof(model));

        using DisposeScope scope = NewDisposeScope();
        (long[] positions, long[] targets) = NextTokens.Of(batch, Name);
        Tensor hidden = model.Encode(batch.Tokens, new() { Positions = positions });
        return head.CrossEntropy(hidden, tensor(targets, [targets.Length])).MoveToOuterDisposeScope();
    }
}
