using Federated.Client.Tokenizers;
using Federated.Client.Tokenizers.Bpe;
using Federated.Client.Training;

namespace Federated.Client.Tests.Training;

public sealed class PassageCutterTests
{
    private const int End = 1;

    // Two special tokens and the 256 bytes: a letter is a token.
    private static readonly Tokenizer Bytes = BpeTrainer.Train([], new() { VocabularySize = 258, SpecialTokens = ["<s>", "</s>"], Roles = new(Bos: "<s>", Eos: "</s>") });

    [Fact]
    public void Cut_TokenizerThatBeginsTexts_BeginsEveryPassageLikeATextAndLearnsNeitherThatNorCutEnds()
    {
        // Room for 8 - 1 - 1 = 6 letters; 13 letters are pieces of 4, 4 and 5.
        IReadOnlyList<TaskRow> passages = new PassageCutter(Beginning(), End, 8).Cut("abcdefghijklm");
        Assert.Equal([6, 6, 7], passages.Select(passage => passage.Tokens.Length));
        Assert.All(passages, passage => Assert.Equal((0, End), (passage.Tokens.Span[0], passage.Tokens.Span[^1])));
        Assert.Equal([new TokenSpan(1, 5)], passages[0].Learned);
        Assert.Equal([new TokenSpan(1, 7)], passages[2].Learned);
        Assert.Equal("abcdefghijklm", string.Concat(passages.Select(passage => Bytes.Decode(passage.Tokens.Span[1..^1]))));

        // By hand: position 0 is <s>, the first row's end belongs to no text.
        TrainingBatch batch = TrainingBatch.ForLanguageModel([passages[0], passages[2]]);
        long[] labels = batch.Tokens.Ids.ToArray();
        (labels[0], labels[5], labels[6]) = (TrainingBatch.Ignored, TrainingBatch.Ignored, TrainingBatch.Ignored);
        Assert.Equal(labels, batch.TokenLabels);
    }

    [Fact]
    public void Cut_NoEndToken_LearnsEveryToken()
    {
        IReadOnlyList<TaskRow> passages = new PassageCutter(Bytes, end: null, 4).Cut("abcdef");
        Assert.Equal([3, 3], passages.Select(passage => passage.Tokens.Length));
        Assert.All(passages, passage => Assert.Null(passage.Learned));
        Assert.Empty(new PassageCutter(Bytes, end: null, 4).Cut(""));
    }

    [Fact]
    public void Constructor_NoRoomForText_SaysWhatIsNeeded()
    {
        ArgumentException error = Assert.Throws<ArgumentException>(() => new PassageCutter(Beginning(), End, 2));
        Assert.Contains("wanted 3 or more", error.Message, StringComparison.Ordinal);
    }

    private static Tokenizer Beginning() => new(Bytes.Parts with
    {
        PostProcessors = [new TemplatePostProcessor(new([new([0], 0, 0), new([], 0, 0)], [new([0], 0, 0), new([], 0, 0), new([], 1, 1)]), new Dictionary<string, IReadOnlyList<NamedToken>>())],
    });
}
