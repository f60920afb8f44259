namespace Federated.Client.Training.Objectives;

/// <summary>Which positions of a batch predict the token after them, and that token.</summary>
/// <param name="Positions">Flat positions in the batch.</param>
/// <param name="Targets">The token each of them should predict.</param>
internal readonly record struct NextTokens(long[] Positions, long[] Targets)
{
    /// <summary>Every position but the last of each row, where the next token is to be learned.</summary>
    /// <exception cref="ArgumentException">The batch has no token labels, or not one a position; the objective is named.</exception>
    internal static NextTokens Of(TrainingBatch batch, string objective)
    {
        long[] labels = batch.TokenLabels ?? throw new ArgumentException($"The objective '{objective}' needs {nameof(TrainingBatch.TokenLabels)}.", nameof(batch));
        if (labels.Length != batch.Tokens.Count)
            throw new ArgumentException($"{labels.Length} labels for {batch.Tokens.Count} positions.", nameof(batch));

        List<long> positions = new(labels.Length), targets = new(labels.Length);
        ReadOnlySpan<int> offsets = batch.Tokens.Offsets.Span;
        for (int row = 0; row + 1 < offsets.Length; row++)
        {
            for (int i = offsets[row]; i + 1 < offsets[row + 1]; i++)
            {
                if (labels[i + 1] == TrainingBatch.Ignored)
                    continue;
                positions.Add(i);
                targets.Add(labels[i + 1]);
            }
        }

        return new([.. positions], [.. targets]);
    }
}
