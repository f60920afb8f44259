using System.Text.RegularExpressions;
using FsCheck;
using FsCheck.Fluent;
using Federated.Client.Tokenizers;
using Federated.Client.Tokenizers.Patterns;
using Federated.Client.Tokenizers.PreTokenisers;

namespace Federated.Client.Tests.Tokenizers;

public sealed class PreTokeniserTests
{
    private const string Gpt2 = @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";
    private const string Qwen2 = @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
    private const string Llama3 = @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    /// <summary>Characters of every kind that the patterns tell apart, all within one UTF-16 unit, so that .NET's regular expressions are a fair judge.</summary>
    private static readonly Gen<string> Texts = Gen.Elements(" \n\r\t\u00A0\u3000'sStTrReEvVlLmMdDé你1٣½!-_\u0301\u200D".ToCharArray()).ListOf().Select(string.Concat);

    [Theory]
    [InlineData(Gpt2)]
    [InlineData(Qwen2)]
    [InlineData(Llama3)]
    public void Split_KnownPattern_EqualsTheRegularExpression(string pattern)
    {
        SplitPreTokeniser known = new(pattern, isRegex: true, SplitBehavior.Isolated, invert: false);
        Regex regex = new(pattern, RegexOptions.CultureInvariant);
        Prop.ForAll(Texts.ToArbitrary(), text => Pieces(known, text).SequenceEqual(regex.Matches(text).Select(match => match.Value))).QuickCheckThrowOnFailure();
    }

    [Theory]
    [InlineData(Gpt2)]
    [InlineData(Qwen2)]
    [InlineData(Llama3)]
    public void Split_BeyondTheBasicPlane_SeesWholeCharacters(string pattern)
    {
        // An equivalent pattern that is not recognised as known takes the general way.
        SplitPreTokeniser known = new(pattern, isRegex: true, SplitBehavior.Isolated, invert: false);
        SplitPreTokeniser general = new(pattern + "|x{0}y", isRegex: true, SplitBehavior.Isolated, invert: false);
        Gen<string> texts = Gen.Elements("𝓗", "𠀀", "😀", "𝟙", "a", "1", " ", "\n", "!", "é", "👍🏽").ListOf().Select(string.Concat);
        Prop.ForAll(texts.ToArbitrary(), text => Pieces(known, text).SequenceEqual(Pieces(general, text))).QuickCheckThrowOnFailure();
        Assert.Equal(["𝓗𝓮", " 𠀀", "😀😀"], Pieces(general, "𝓗𝓮 𠀀😀😀"));
    }

    [Theory]
    [InlineData(SplitBehavior.Removed, false, "the|final|countdown")]
    [InlineData(SplitBehavior.Isolated, false, "the|-|final|-|-|countdown")]
    [InlineData(SplitBehavior.MergedWithPrevious, false, "the-|final-|-|countdown")]
    [InlineData(SplitBehavior.MergedWithNext, false, "the|-final|-|-countdown")]
    [InlineData(SplitBehavior.Contiguous, false, "the|-|final|--|countdown")]
    [InlineData(SplitBehavior.Removed, true, "-|-|-")]
    public void Split_Behaviors_AreThoseOfTheLibrary(SplitBehavior behavior, bool invert, string expected)
    {
        // The example of the library's own documentation of SplitDelimiterBehavior.
        Assert.Equal(expected, string.Join('|', Pieces(new SplitPreTokeniser("-", isRegex: false, behavior, invert), "the-final--countdown")));
    }

    [Theory]
    [InlineData(true, "a|1|2| b|𝟙|𝟚")]
    [InlineData(false, "a|12| b|𝟙𝟚")]
    public void Split_Digits_PartsThemFromTheRest(bool individual, string expected) =>
        Assert.Equal(expected, string.Join('|', Pieces(new DigitsPreTokeniser(individual), "a12 b𝟙𝟚")));

    [Fact]
    public void Prepare_AddPrefixSpace_PutsOneInFrontUnlessThereIsOne()
    {
        ByteLevelPreTokeniser stage = new(AddPrefixSpace: true);
        Assert.Equal(" a", stage.Prepare("a", new TextBuffer(), begins: true).ToString());
        Assert.Equal(" a", stage.Prepare(" a", new TextBuffer(), begins: true).ToString());
    }

    private static string[] Pieces(IPreTokeniser stage, string text)
    {
        List<TextPiece> pieces = [];
        stage.Split(text, pieces);
        return [.. pieces.Select(piece => text.Substring(piece.Start, piece.Length))];
    }
}
