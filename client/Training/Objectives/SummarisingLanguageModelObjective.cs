using Federated.Client.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace Federated.Client.Training.Objectives;

/// <summary>
/// Next-token prediction, and at the last position of each row also the prediction of which tokens the row holds. That state, which sees
/// the whole row and has no next token to predict, becomes a summary: the one that a classification head reads later.
/// </summary>
/// <remarks>
/// Per row with last state h and the set S of its other tokens: − weight · Σ_{t∈S} log softmax(W h)_t, where W is the language-model head.
/// Source: the distributed bag of words of Le and Mikolov, "Distributed Representations of Sentences and Documents", ICML 2014, section 2.3.
/// Deviations: the vector is computed by the model instead of being a parameter of each document; every token counts once, not as often
/// as it is drawn; the softmax is over the whole vocabulary.
/// </remarks>
public sealed class SummarisingLanguageModelObjective : IObjective
{
    private readonly double _weight;

    /// <summary>The objective with the weight of one token of the summary beside one next-token prediction, above 0.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The weight is not a finite number above 0.</exception>
    public SummarisingLanguageModelObjective(double weight)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(weight);
        if (!double.IsFinite(weight))
            throw new ArgumentOutOfRangeException(nameof(weight), weight, "A finite weight was expected.");
        _weight = weight;
    }

    /// <inheritdoc/>
    public string Name => "summarising-causal-lm";

    /// <summary>The next-token predictions; the summaries come on top, so that the weight means the same for rows of any length.</summary>
    public long Terms(TrainingBatch batch) => NextTokens.Of(batch, Name).Targets.Length;

    /// <inheritdoc/>
    public Tensor Sum(PretrainedModel model, TrainingBatch batch)
    {
        if (model.Head is not LanguageModelHead head)
            throw new ArgumentException($"The objective '{Name}' needs a language-model head; the model is a {model.Config.ClassName}.", nameof(model));

        using DisposeScope scope = NewDisposeScope();
        NextTokens next = NextTokens.Of(batch, Name);
        long predictions = next.Targets.Length, rows = batch.Tokens.Rows;
        Tensor hidden = model.Encode(batch.Tokens, new() { Positions = [.. next.Positions, .. LastPositions(batch.Tokens)] });
        Tensor sum = head.CrossEntropy(hidden.narrow(0, 0, predictions), tensor(next.Targets, [predictions]));
        Tensor logits = head.Logits(hidden.narrow(0, predictions, rows));
        Tensor words = tensor(Words(batch.Tokens, model.TextConfig.VocabularySize), [rows, model.TextConfig.VocabularySize]);
        return (sum - ((nn.functional.log_softmax(logits, 1) * words).sum() * _weight)).MoveToOuterDisposeScope();
    }

    private static IEnumerable<long> LastPositions(SequenceBatch tokens) => Enumerable.Range(1, tokens.Rows).Select(row => tokens.Offsets.Span[row] - 1L);

    // 1 where the row holds the token before its last place.
    private static float[] Words(SequenceBatch tokens, int vocabulary)
    {
        float[] words = new float[checked(tokens.Rows * vocabulary)];
        ReadOnlySpan<int> offsets = tokens.Offsets.Span;
        ReadOnlySpan<long> ids = tokens.Ids.Span;
        for (int row = 0; row < tokens.Rows; row++)
        {
            for (int i = offsets[row]; i < offsets[row + 1] - 1; i++)
                words[(row * vocabulary) + ids[i]] = 1;
        }

        return words;
    }
}
