using Federated.Client.Tokenizers;
using Federated.Client.Tokenizers.Normalisers;

namespace Federated.Client.Tests.Tokenizers;

public sealed class UnicodeNormaliserTests
{
    /// <summary>Source and composed form, in hexadecimal; all from Unicode's NormalizationTest.txt (15.0) and UAX 15, figures 3 to 6.</summary>
    [Theory]
    [InlineData("0065 0301", "00E9")]
    [InlineData("1E0A 0323", "1E0C 0307")]
    [InlineData("0044 0307 0323", "1E0C 0307")]
    [InlineData("212B", "00C5")]
    [InlineData("0041 030A", "00C5")]
    [InlineData("2126", "03A9")]
    [InlineData("1112 1161 11AB", "D55C")]
    [InlineData("D558 11AB", "D55C")]
    [InlineData("AC00 11A7", "AC00 11A7")]
    [InlineData("0958", "0915 093C")]
    [InlineData("0061 0315 0300 05AE 0300 0062", "00E0 05AE 0300 0315 0062")]
    [InlineData("0344", "0308 0301")]
    [InlineData("1D15E", "1D157 1D165")]
    [InlineData("110A5 110BA", "110AB")]
    [InlineData("0061 0327 0062 0301", "0061 0327 0062 0301")]
    [InlineData("FB01", "FB01")]
    public void Normalise_GoldenText_IsComposed(string source, string expected)
    {
        Assert.Equal(Text(expected), Normalise(Text(source)));
        Assert.Equal("é " + Text(expected), Normalise("é " + Text(source)));
        Assert.Equal(Text(expected), Normalise(Text(expected)));
    }

    [Fact]
    public void Normalise_TextWithoutCombiningCharacters_IsHandedBackAsItIs()
    {
        TextBuffer buffer = new();
        string text = "Grüße, “café” 你好 한국 😀";
        Assert.True(new UnicodeNormaliser(UnicodeForm.NFC).Normalise(text, buffer).Overlaps(text));
    }

    [Fact]
    public void Normalise_LoneSurrogates_AreKept() => Assert.Equal("\uD800é\uDC00", Normalise("\uD800e\u0301\uDC00"));

    [Fact]
    public void Normalise_ManyMarksOutOfOrder_AreOrderedByClass()
    {
        string source = "q" + string.Concat(Enumerable.Repeat("\u0307\u0323", 20_000));
        Assert.Equal("q" + new string('\u0323', 20_000) + new string('\u0307', 20_000), Normalise(source));
    }

    private static string Normalise(string text) => new UnicodeNormaliser(UnicodeForm.NFC).Normalise(text, new TextBuffer()).ToString();

    private static string Text(string codes) => string.Concat(codes.Split(' ').Select(code => char.ConvertFromUtf32(Convert.ToInt32(code, 16))));
}
