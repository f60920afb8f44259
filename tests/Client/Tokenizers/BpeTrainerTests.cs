using Federated.Client.Tokenizers;
using Federated.Client.Tokenizers.Bpe;

namespace Federated.Client.Tests.Tokenizers;

public sealed class BpeTrainerTests
{
    [Fact]
    public void Train_WordsByHand_LearnsTheMostFrequentPairsFirst()
    {
        // Words: "ab" 3 times, " ab" 2, " b" 2. Pairs: (a,b) 5, (Ġ,a) 2, (Ġ,b) 2. After "ab": (Ġ,ab) 2 and (Ġ,b) 2; equal counts go to the
        // smaller right id, b being one of the bytes and ab newer.
        Tokenizer tokenizer = BpeTrainer.Train(["ab ab b", "ab ab b", "ab"], new() { VocabularySize = 259 });
        Assert.Equal(["ab", "Ġb", "Ġab"], Enumerable.Range(256, 3).Select(tokenizer.Token));
    }

    [Fact]
    public void Train_SpecialTokens_HaveTheFirstIdsAndAreRecognised()
    {
        Tokenizer tokenizer = BpeTrainer.Train(
            Enumerable.Repeat("<pad> <pad>", 9), new() { VocabularySize = 300, SpecialTokens = ["<|endoftext|>", "<pad>"], Roles = new(Eos: "<|endoftext|>", Pad: "<pad>") });
        Assert.Equal((0, 1), (tokenizer.Special.Eos, tokenizer.Special.Pad));
        List<int> ids = [];
        tokenizer.Encode("<pad>", ids);
        Assert.Equal([1], ids);
    }

    [Fact]
    public void Train_NothingFrequentLeft_GivesASmallerVocabulary()
    {
        Tokenizer tokenizer = BpeTrainer.Train(["abc"], new() { VocabularySize = 1000, MinimumFrequency = 2 });
        Assert.Equal(256, tokenizer.VocabularySize);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Train_RandomCorpus_EqualsCountingEverythingAnewEachTime(int seed)
    {
        string[] texts = RandomCorpus(seed);
        Tokenizer tokenizer = BpeTrainer.Train(texts, new() { VocabularySize = 340, SpecialTokens = ["<x>"], MinimumFrequency = 2 });
        Assert.Equal(ReferenceBpe.Train(texts, specialTokens: 1, size: 340, minimum: 2), ((BpeModel)tokenizer.Parts.Model).Merges);
        Assert.Equal(
            ((BpeModel)tokenizer.Parts.Model).Merges,
            ((BpeModel)BpeTrainer.Train(texts.Reverse(), new() { VocabularySize = 340, SpecialTokens = ["<x>"] }).Parts.Model).Merges);
    }

    [Fact]
    public void Train_Cancelled_Stops()
    {
        using CancellationTokenSource source = new();
        source.Cancel();
        Assert.Throws<OperationCanceledException>(() => BpeTrainer.Train(["abab"], new() { VocabularySize = 300 }, cancellation: source.Token));
    }

    [Fact]
    public void Train_Progress_EndsWithTheSizeReached()
    {
        Recorder recorder = new();
        BpeTrainer.Train(["abab abab"], new() { VocabularySize = 258 }, recorder);
        Assert.Equal(new(BpeTrainingStage.CountingWords, 1, 0), recorder.Reports[0]);
        Assert.Equal(new(BpeTrainingStage.Merging, 258, 258), recorder.Reports[^1]);
    }

    [Theory]
    [InlineData(256, "<x>")]
    [InlineData(300, "a")]
    public void Train_OptionsThatContradict_NamesThem(int size, string special)
    {
        ArgumentException error = Assert.Throws<ArgumentException>(() => BpeTrainer.Train([], new() { VocabularySize = size, SpecialTokens = [special] }));
        Assert.Contains("wanted", error.Message, StringComparison.Ordinal);
    }

    private static string[] RandomCorpus(int seed)
    {
        // Few letters and long words: overlapping pairs such as "aaa" and strings that can be built in two ways are common.
        Random random = new(seed);
        return [.. Enumerable.Range(0, 60).Select(_ => string.Create(random.Next(5, 60), random, static (chars, luck) =>
        {
            for (int i = 0; i < chars.Length; i++)
                chars[i] = "aaabbcé "[luck.Next(8)];
        }))];
    }

    private sealed class Recorder : IProgress<BpeTrainingProgress>
    {
        public List<BpeTrainingProgress> Reports { get; } = [];

        public void Report(BpeTrainingProgress value) => Reports.Add(value);
    }
}
