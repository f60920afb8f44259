using Federated.Client.Tokenizers;
using Federated.Client.Tokenizers.Bpe;
using Federated.Client.Training;
using Federated.Simulations.Pretraining;

namespace Federated.EndToEnd.Tests.Pretraining;

public sealed class TokenSequencesTests
{
    private const int EndOfText = 0, Context = 8;

    // A special token and the 256 bytes: a letter is a token, and seven letters with the end are a sequence.
    private static readonly Tokenizer Bytes = BpeTrainer.Train([], new() { VocabularySize = 257, SpecialTokens = ["<|endoftext|>"] });

    [Fact]
    public void Tokens_EveryDocument_EndsWithTheEnd()
    {
        TokenSequences text = Letters("ab");

        Assert.Equal(16, text.Tokens.Length);
        Assert.Equal([7, 15], text.Tokens.Index().Where(token => token.Item == EndOfText).Select(token => token.Index));
        Assert.Equal(2, text.Sequences);
    }

    [Fact]
    public void Tokens_ARestShorterThanASequence_IsLeftOut() =>
        Assert.Equal(1, new TokenSequences(["aaaaaaa", "bbb"], Bytes, EndOfText, Context).Sequences);

    [Fact]
    public void InOrder_AllSequences_ComeOnceInTheirOrder()
    {
        TokenSequences text = Letters("abcde");

        int[][] batches = [.. text.InOrder(2).Select(FirstTokens)];

        Assert.Equal([2, 2, 1], batches.Select(batch => batch.Length));
        Assert.Equal([.. Enumerable.Range(0, 5).Select(i => text.Tokens[i * Context])], batches.SelectMany(batch => batch));
    }

    [Fact]
    public void Shuffled_AnEpoch_HasEverySequenceOnceInAnOrderOfItsOwn()
    {
        TokenSequences text = Letters("abcdefghij");

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
        TokenSequences text = Letters("abcdefghij");

        Assert.Equal(
            text.Shuffled(5, seed: 9, skip: 0).Skip(skip).Take(5).Select(FirstTokens),
            text.Shuffled(5, seed: 9, skip).Take(5).Select(FirstTokens));
    }

    private static TokenSequences Letters(string letters) => new(letters.Select(letter => new string(letter, Context - 1)), Bytes, EndOfText, Context);

    private static int[] FirstTokens(TrainingBatch batch) => [.. batch.Tokens.Ids.ToArray().Where((_, i) => i % Context == 0).Select(id => (int)id)];
}
