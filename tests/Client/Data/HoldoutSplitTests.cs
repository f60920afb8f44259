using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Federated.Client.Data;

namespace Federated.Client.Tests.Data;

public sealed class HoldoutSplitTests
{
    [Fact]
    public void Divide_TwoLabels_KeepsTheShareOfEach()
    {
        LabelledText[] examples = [.. Enumerable.Range(0, 100).Select(i => Example($"text {i}", i < 80 ? "ham" : "spam"))];
        (int[] train, int[] holdout) = Divide(examples, 0.1, seed: 1);
        Assert.Equal(Enumerable.Range(0, 100), train.Concat(holdout).Order());
        Assert.Equal((8, 2), (holdout.Count(i => i < 80), holdout.Count(i => i >= 80)));
    }

    [Fact]
    public void Divide_OtherOrderOfTheFile_HoldsOutTheSameTexts()
    {
        LabelledText[] examples = [.. Enumerable.Range(0, 50).Select(i => Example($"text {i}", "ham"))];
        LabelledText[] reversed = [.. examples.Reverse()];
        string[] first = [.. Divide(examples, 0.2, 3).Holdout.Select(i => examples[i].Text).Order()];
        string[] second = [.. Divide(reversed, 0.2, 3).Holdout.Select(i => reversed[i].Text).Order()];
        Assert.Equal(first, second);
        Assert.NotEqual(first, Divide(examples, 0.2, 4).Holdout.Select(i => examples[i].Text).Order());
    }

    [Fact]
    public void Divide_EqualTexts_StayOnOneSide()
    {
        LabelledText[] examples = [.. Enumerable.Range(0, 60).Select(i => Example($"text {i % 7}", "ham"))];
        for (ulong seed = 0; seed < 20; seed++)
        {
            (int[] train, int[] holdout) = Divide(examples, 0.3, seed);
            Assert.Empty(train.Select(i => examples[i].Text).Intersect(holdout.Select(i => examples[i].Text)));
            Assert.NotEmpty(train);
            Assert.NotEmpty(holdout);
        }
    }

    [Theory]
    [InlineData(1, 0.5, 0)]
    [InlineData(2, 0.01, 1)]
    [InlineData(9, 0, 0)]
    public void Divide_FewExamples_LeavesSomethingToTrainOn(int count, double share, int held)
    {
        LabelledText[] examples = [.. Enumerable.Range(0, count).Select(i => Example($"text {i}", "ham"))];
        Assert.Equal(held, Divide(examples, share, 1).Holdout.Length);
    }

    [Theory]
    [InlineData(-0.1)]
    [InlineData(0.6)]
    [InlineData(double.NaN)]
    public void Divide_ShareOutOfRange_IsRefused(double share) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => HoldoutSplit.Divide([], share));

    [Fact]
    public void Of_AnyText_IsTheHashOfSeedAndText()
    {
        // Longer than a block, with a character of four bytes across its end.
        string text = new string('a', 4095) + "\U0001F600" + new string('b', 9000);
        byte[] bytes = [3, 0, 0, 0, 0, 0, 0, 0, .. Encoding.UTF8.GetBytes(text)];
        Assert.Equal(new HoldoutKey("ham", BinaryPrimitives.ReadUInt128BigEndian(SHA256.HashData(bytes))), HoldoutKey.Of(text, "ham", 3));
        Assert.Equal("", HoldoutKey.Of("", null, 3).Label);
    }

    private static (int[] Train, int[] Holdout) Divide(LabelledText[] examples, double share, ulong seed) =>
        HoldoutSplit.Divide([.. examples.Select(example => HoldoutKey.Of(example.Text, example.Label, seed))], share);

    private static LabelledText Example(string text, string label) => new(text, label, "a.jsonl", 1, new Dictionary<string, string>());
}
