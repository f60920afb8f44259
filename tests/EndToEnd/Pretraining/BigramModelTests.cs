using Federated.Client.Training;
using Federated.Simulations.Pretraining;

namespace Federated.EndToEnd.Tests.Pretraining;

public sealed class BigramModelTests
{
    // c(0) = 3, c(1) = 2, N = 5, c(0,1) = 2. Of the grid's weights 0.9, 0.05, 0.05 are best for a 1 after a 0:
    // 0.9 * 2/3 + 0.05 * 2/5 + 0.05 * 1/2 = 0.645.
    private const double OneAfterZero = 0.645;

    private static readonly BigramModel Model = new([Rows([0, 1, 0, 1, 0])], vocabulary: 2);

    [Fact]
    public void Perplexity_OnePair_IsTheInverseOfItsProbability() => Assert.Equal(1 / OneAfterZero, Model.Perplexity([Rows([0, 1])]), 12);

    [Fact]
    public void Perplexity_FirstTokenOfARow_IsNotPredicted() => Assert.Equal(1 / OneAfterZero, Model.Perplexity([Rows([0, 1], [0, 1])]), 12);

    [Fact]
    public void Perplexity_AnIgnoredToken_IsNotPredicted()
    {
        TrainingBatch text = Rows([0, 1, 1]);
        text.TokenLabels![2] = TrainingBatch.Ignored;

        Assert.Equal(1 / OneAfterZero, Model.Perplexity([text]), 12);
    }

    [Fact]
    public void Constructor_PairsAcrossRows_AreNotCounted() =>
        Assert.Equal(Model.Perplexity([Rows([0, 1])]), new BigramModel([Rows([0, 1], [0, 1], [0])], vocabulary: 2).Perplexity([Rows([0, 1])]), 12);

    [Fact]
    public void Perplexity_AWordNeverSeen_IsFinite()
    {
        BigramModel model = new([Rows([0, 1, 0, 1, 0])], vocabulary: 4);

        // Nothing but the uniform share speaks for token 3: 0.05 / 4 at best.
        Assert.Equal(80, model.Perplexity([Rows([2, 3])]), 9);
    }

    private static TrainingBatch Rows(params int[][] rows) => TrainingBatch.ForLanguageModel([.. rows.Select(row => (ReadOnlyMemory<int>)row)]);
}
