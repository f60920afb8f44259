using Federated.Client.Models;

namespace Federated.Client.Training;

/// <summary>Sequences or images with what is to be learned about them. Plain managed data; an objective says which labels it needs.</summary>
/// <param name="Input">What the model reads.</param>
public sealed record TrainingBatch(ModelInput Input)
{
    /// <summary>The input of a text model.</summary>
    /// <exception cref="ArgumentException">It is an input of another kind.</exception>
    public SequenceBatch Tokens => SequenceBatch.Of(Input);

    /// <summary>The label that no loss counts, as in PyTorch.</summary>
    public const long Ignored = -100;

    /// <summary>For a language model: the token at each position, flat as <see cref="SequenceBatch.Ids"/>, <see cref="Ignored"/> where nothing is to be predicted. Not shifted.</summary>
    public long[]? TokenLabels { get; init; }

    /// <summary>For classification: the class of each row.</summary>
    public long[]? ClassLabels { get; init; }

    /// <summary>For several labels at once (0 or 1 each) or regression: the targets, (rows, labels).</summary>
    public float[]? Targets { get; init; }

    /// <summary>Packs texts for a language model that predicts every token from those before it.</summary>
    /// <exception cref="ArgumentException">There is no sequence, or one is empty.</exception>
    public static TrainingBatch ForLanguageModel(IReadOnlyList<ReadOnlyMemory<int>> sequences)
    {
        SequenceBatch tokens = SequenceBatch.Packed(sequences);
        return new(tokens) { TokenLabels = tokens.Ids.ToArray() };
    }

    /// <summary>Packs texts with the class of each.</summary>
    /// <exception cref="ArgumentException">There is no sequence, one is empty, or the numbers of sequences and classes differ.</exception>
    public static TrainingBatch ForClassification(IReadOnlyList<ReadOnlyMemory<int>> sequences, IReadOnlyList<int> classes)
    {
        if (sequences.Count != classes.Count)
            throw new ArgumentException($"{sequences.Count} sequences with {classes.Count} classes.", nameof(classes));
        return new(SequenceBatch.Packed(sequences)) { ClassLabels = [.. classes.Select(label => (long)label)] };
    }
}
