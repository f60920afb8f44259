using Federated.Client.Generation;
using Federated.Client.Tokenizers;
using Federated.Client.Tokenizers.Bpe;

namespace Federated.Client.Tests.Generation;

/// <summary>Text comes out whole characters at a time, and up to a stop text.</summary>
public sealed class IncrementalTextTests
{
    // Every byte is a token of its own: the hardest case for characters of several bytes.
    private static readonly Tokenizer Bytes = BpeTrainer.Train([], new() { VocabularySize = 257, SpecialTokens = ["<|end|>"] });

    [Theory]
    [InlineData("plain words")]
    [InlineData("é, 漢字 and 🙂!")]
    public void Pieces_AreTheTextInWholeCharacters(string text)
    {
        List<string> pieces = Push(text, []).Pieces;
        Assert.Equal(text, string.Concat(pieces));
        Assert.DoesNotContain(pieces, piece => piece.Contains('\uFFFD'));
        Assert.True(pieces.Count > 1);
    }

    [Fact]
    public void Complete_HalfACharacter_IsShownAsSuch()
    {
        List<int> tokens = Encode("é");
        List<string> pieces = [];
        IncrementalText stream = new(Bytes, [], pieces.Add);
        Assert.True(stream.Push(tokens[0]));
        Assert.Empty(pieces);
        stream.Complete();
        Assert.Equal(["\uFFFD"], pieces);
    }

    [Theory]
    [InlineData("one STOP two", "one ", false)]
    [InlineData("one STO", "one STO", true)]
    [InlineData("one STOne", "one STOne", true)]
    [InlineData("SSTOP", "S", false)]
    public void StopText_EndsTheStreamAndIsNotWritten(string text, string written, bool goesOn)
    {
        (List<string> pieces, bool went) = Push(text, ["STOP", "never"]);
        Assert.Equal((written, goesOn), (string.Concat(pieces), went));
    }

    [Fact]
    public void StopTexts_TheFirstToAppear_Counts() => Assert.Equal("a", string.Concat(Push("abcd", ["c", "bcd", "b"]).Pieces));

    [Fact]
    public void SpecialTokens_AreNotWritten()
    {
        List<string> pieces = [];
        IncrementalText stream = new(Bytes, [], pieces.Add);
        foreach (int token in (int[])[.. Encode("a"), Bytes.TokenId("<|end|>")!.Value, .. Encode("b")])
            stream.Push(token);
        stream.Complete();
        Assert.Equal("ab", string.Concat(pieces));
    }

    [Fact]
    public void EmptyStopText_IsRefused() => Assert.Throws<ArgumentException>(() => new IncrementalText(Bytes, [""], _ => { }));

    private static (List<string> Pieces, bool WentOn) Push(string text, string[] stops)
    {
        List<string> pieces = [];
        IncrementalText stream = new(Bytes, stops, pieces.Add);
        bool goesOn = Encode(text).TakeWhile(stream.Push).Count() == Encode(text).Count;
        if (goesOn)
            stream.Complete();
        return (pieces, goesOn);
    }

    private static List<int> Encode(string text)
    {
        List<int> ids = [];
        Bytes.Encode(text, ids, addSpecialTokens: false);
        return ids;
    }
}
