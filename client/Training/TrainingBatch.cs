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

    /// <summary>This batch as a model reads it: behind an adapter's virtual tokens, which no loss counts but of which the last predicts a row's first token.</summary>
    public TrainingBatch For(PretrainedModel model)
    {
        ModelInput prompted = model.Prompted(Input);
        if (ReferenceEquals(prompted, Input))
            return this;

        int count = SequenceBatch.Of(prompted).VirtualTokens;
        return this with { Input = prompted, TokenLabels = TokenLabels is { } labels ? Tokens.Widened<long>(labels, count, _ => Ignored) : null };
    }

    /// <summary>Packs texts for a language model that predicts every token from those before it.</summary>
    /// <exception cref="ArgumentException">There is no sequence, or one is empty.</exception>
    public static TrainingBatch ForLanguageModel(IReadOnlyList<ReadOnlyMemory<int>> sequences)
    {
        SequenceBatch tokens = SequenceBatch.Packed(sequences);
        return new(tokens) { TokenLabels = tokens.Ids.ToArray() };
    }

    /// <summary>Packs rows for a language model that predicts every token they are to learn from those before it.</summary>
    /// <exception cref="ArgumentException">There is no row, or one is empty.</exception>
    public static TrainingBatch ForLanguageModel(IReadOnlyList<TaskRow> rows)
    {
        TrainingBatch batch = new(Packed(rows));
        long[] labels = batch.Tokens.Ids.ToArray();
        ReadOnlySpan<int> offsets = batch.Tokens.Offsets.Span;
        for (int row = 0; row < rows.Count; row++)
        {
            if (rows[row].Learned is { } learned)
                Ignore(labels.AsSpan(offsets[row]..offsets[row + 1]), learned);
        }

        return batch with { TokenLabels = labels };
    }

    /// <summary>Packs rows with the class of each.</summary>
    /// <exception cref="ArgumentException">There is no row, or one is empty.</exception>
    public static TrainingBatch ForClassification(IReadOnlyList<TaskRow> rows) => new(Packed(rows)) { ClassLabels = [.. rows.Select(row => (long)row.Class)] };

    /// <summary>Packs texts with the class of each.</summary>
    /// <exception cref="ArgumentException">There is no sequence, one is empty, or the numbers of sequences and classes differ.</exception>
    public static TrainingBatch ForClassification(IReadOnlyList<ReadOnlyMemory<int>> sequences, IReadOnlyList<int> classes)
    {
        if (sequences.Count != classes.Count)
            throw new ArgumentException($"{sequences.Count} sequences with {classes.Count} classes.", nameof(classes));
        return new(SequenceBatch.Packed(sequences)) { ClassLabels = [.. classes.Select(label => (long)label)] };
    }

    private static SequenceBatch Packed(IReadOnlyList<TaskRow> rows)
    {
        SequenceBatch tokens = SequenceBatch.Packed([.. rows.Select(row => row.Tokens)]);
        return rows.All(row => row.TypeIds is null) ? tokens : tokens.WithTokenTypes([.. rows.SelectMany(TypesOf)]);
    }

    private static IEnumerable<long> TypesOf(TaskRow row) =>
        row.TypeIds is { } types ? types.Select(type => (long)type) : Enumerable.Repeat(0L, row.Tokens.Length);

    /// <summary>Takes away the labels between the stretches that are to be learned.</summary>
    private static void Ignore(Span<long> labels, IReadOnlyList<TokenSpan> learned)
    {
        int done = 0;
        foreach (TokenSpan span in learned)
        {
            labels[done..span.Start].Fill(Ignored);
            done = span.End;
        }

        labels[done..].Fill(Ignored);
    }
}
