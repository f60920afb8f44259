using Federated.Client.Tokenizers;
using Federated.Client.Tokenizers.Bpe;
using Federated.Client.Training;
using Federated.Client.Training.Tasks;

namespace Federated.Client.Tests.Training.Tasks;

public sealed class SequenceClassificationTaskTests : IDisposable
{
    // Two special tokens and the 256 bytes: letter c is the token 2 + c.
    private static readonly Tokenizer Bytes = BpeTrainer.Train([], new() { VocabularySize = 258, SpecialTokens = ["[A]", "[B]"] });

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Read_ADecodersTokenizer_EndsRowsWithTheEndOfText()
    {
        Tokenizer tokenizer = new(Bytes.Parts with { Special = new(Eos: "[B]") });
        TrainingBatch batch = Read(tokenizer, 5, """{"text":"ab","label":"x"}""", """{"text":"","label":"x"}""", """{"text":"abcdef","label":"y"}""", """{"text":"ab","text_pair":"cdef","label":"y"}""");
        Assert.Equal(["1", "ab1", "abcd1", "abcd1"], Rows(batch, tokenizer).Order());
    }

    [Fact]
    public void Read_AnEncodersTokenizer_PutsPairsBetweenItsSpecialTokensWithTheirTypes()
    {
        // [A] first [B] second [B], types 0 0 .. 1 1, as BERT's template.
        TokenTemplate template = new([new([0], 0, 0), new([], 0, 0), new([1], 0, 0)], [new([0], 0, 0), new([], 0, 0), new([1], 0, 0), new([], 1, 1), new([1], 0, 1)]);
        Tokenizer tokenizer = new(Bytes.Parts with
        {
            Special = new(Eos: "[B]"),
            PostProcessors = [new TemplatePostProcessor(template, new Dictionary<string, IReadOnlyList<NamedToken>>())],
        });
        TrainingBatch batch = Read(tokenizer, 8, """{"text":"ab","label":"x"}""", """{"text":"a","text_pair":"bcdefghij","label":"y"}""");
        Assert.Equal(["0ab1", "0a1bcde1"], Rows(batch, tokenizer).OrderBy(row => row.Length));
        int pair = Rows(batch, tokenizer)[0].Length == 8 ? 0 : 4;
        Assert.Equal([0, 0, 0, 1, 1, 1, 1, 1], batch.Tokens.TokenTypes!.Value.Span.Slice(pair, 8).ToArray());
        Assert.Equal(pair == 0 ? [1, 0] : [0, 1], batch.ClassLabels!);
    }

    [Fact]
    public void Read_NumbersForNames_AreTheirPlaces()
    {
        TrainingBatch batch = Read(Bytes, 8, """{"text":"a","label":1}""", """{"text":"a","label":"x"}""");
        Assert.Equal([0L, 1], batch.ClassLabels!.Order());
    }

    private static string[] Rows(TrainingBatch batch, Tokenizer tokenizer)
    {
        int[] offsets = batch.Tokens.Offsets.ToArray();
        return [.. offsets.Skip(1).Zip(offsets, (end, start) => string.Concat(batch.Tokens.Ids[start..end].ToArray().Select(id => id < 2 ? $"{id}" : tokenizer.Decode([(int)id]))))];
    }

    private TrainingBatch Read(Tokenizer tokenizer, int maxTokens, params string[] lines) => new SequenceClassificationTask().Read(
        new() { Path = _folder.Write("a.jsonl", string.Join('\n', lines)), Tokenizer = tokenizer, MaxTokens = maxTokens, Labels = ["x", "y"] }, default).Training(lines.Length, seed: 1).First();
}
