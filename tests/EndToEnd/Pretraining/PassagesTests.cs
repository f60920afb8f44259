using Federated.Client.Tokenizers;
using Federated.Client.Tokenizers.Bpe;
using Federated.Client.Training;
using Federated.Simulations.Pretraining;

namespace Federated.EndToEnd.Tests.Pretraining;

public sealed class PassagesTests
{
    private const int EndOfText = 0, Context = 8;

    // A special token and the 256 bytes: a letter is a token.
    private static readonly Tokenizer Bytes = BpeTrainer.Train([], new() { VocabularySize = 257, SpecialTokens = ["<|endoftext|>"] });

    [Fact]
    public void InOrder_DocumentsThatFit_AreOnePassageEachWithItsEnd()
    {
        Passages text = Of("aaa", "", "bbbbbbb");

        TrainingBatch batch = Assert.Single(text.InOrder(2));

        Assert.Equal([4, 8], Lengths(batch));
        Assert.Equal(2, text.Count);
        Assert.Equal(12, text.Tokens);
        Assert.Equal([3, 11], batch.Tokens.Ids.ToArray().Index().Where(token => token.Item == EndOfText).Select(token => token.Index));
        Assert.Equal(batch.Tokens.Ids.ToArray(), batch.TokenLabels);
    }

    [Fact]
    public void InOrder_ADocumentThatIsTooLong_IsCutInNearlyEqualPiecesOfWhichOnlyTheLastEndIsLearned()
    {
        // 16 letters in pieces of at most 7: 5, 5 and 6.
        TrainingBatch batch = Assert.Single(Of(new string('a', 16)).InOrder(3));

        Assert.Equal([6, 6, 7], Lengths(batch));
        Assert.Equal([5L, 11, 18], batch.Tokens.Ids.ToArray().Index().Where(token => token.Item == EndOfText).Select(token => (long)token.Index));
        Assert.Equal([TrainingBatch.Ignored, TrainingBatch.Ignored, EndOfText], (long[])[batch.TokenLabels![5], batch.TokenLabels[11], batch.TokenLabels[18]]);
        Assert.Equal(2, batch.TokenLabels.Count(label => label == TrainingBatch.Ignored));
    }

    [Fact]
    public void InOrder_AllPassages_ComeOnceInTheirOrder()
    {
        Passages text = Letters("abcde");

        int[][] batches = [.. text.InOrder(2).Select(FirstTokens)];

        Assert.Equal([2, 2, 1], batches.Select(batch => batch.Length));
        Assert.Equal(5, batches.SelectMany(batch => batch).Distinct().Count());
        Assert.Equal(batches.SelectMany(batch => batch), batches.SelectMany(batch => batch).Order());
    }

    [Fact]
    public void Shuffled_AnEpoch_HasEveryPassageOnceInAnOrderOfItsOwn()
    {
        Passages text = Letters("abcdefghij");

        int[][] epochs = [.. text.Shuffled(5, seed: 1, skip: 0).Take(6).Select(FirstTokens).Chunk(2).Select(epoch => epoch.SelectMany(batch => batch).ToArray())];

        Assert.All(epochs, epoch => Assert.Equal([.. text.InOrder(10).SelectMany(FirstTokens).Order()], epoch.Order()));
        Assert.NotEqual(epochs[0], epochs[1]);
        Assert.NotEqual(epochs[1], epochs[2]);
    }

    [Fact]
    public void Shuffled_ARestThatFillsNoBatch_WaitsForAnotherEpoch()
    {
        int[][] batches = [.. Letters("abcdefg").Shuffled(3, seed: 1, skip: 0).Take(4).Select(FirstTokens)];

        Assert.All(batches, batch => Assert.Equal(3, batch.Length));
        Assert.All(batches.Chunk(2), epoch => Assert.Equal(6, epoch.SelectMany(batch => batch).Distinct().Count()));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public void Shuffled_AfterASkip_GoesOnAsIfNeverStopped(int skip)
    {
        Passages text = Letters("abcdefghij");

        Assert.Equal(
            text.Shuffled(5, seed: 9, skip: 0).Skip(skip).Take(5).Select(FirstTokens),
            text.Shuffled(5, seed: 9, skip).Take(5).Select(FirstTokens));
    }

    private static Passages Of(params string[] documents) => new(documents, Bytes, EndOfText, Context);

    private static Passages Letters(string letters) => Of([.. letters.Select(letter => new string(letter, Context - 1))]);

    private static int[] Lengths(TrainingBatch batch)
    {
        int[] offsets = batch.Tokens.Offsets.ToArray();
        return [.. offsets.Skip(1).Zip(offsets, (end, start) => end - start)];
    }

    private static int[] FirstTokens(TrainingBatch batch) =>
        [.. batch.Tokens.Offsets.ToArray().SkipLast(1).Select(start => (int)batch.Tokens.Ids.Span[start])];
}
