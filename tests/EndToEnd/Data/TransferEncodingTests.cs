using System.Text;
using Federated.Simulations.Data.Mail;

namespace Federated.EndToEnd.Tests.Data;

public sealed class TransferEncodingTests
{
    [Theory]
    [InlineData("caf=E9", "café")]
    [InlineData("a=3Db=3db", "a=b=b")]
    [InlineData("soft=\r\nbreak", "softbreak")]
    [InlineData("soft= \t\nbreak", "softbreak")]
    [InlineData("100% = all", "100% = all")]
    [InlineData("stray =G1 =", "stray =G1 ")]
    [InlineData("hard\nbreak", "hard\nbreak")]
    public void QuotedPrintable_TableOfRfc2045_GivesTheBytes(string encoded, string expected) =>
        Assert.Equal(expected, Encoding.Latin1.GetString(TransferEncoding.Decode("Quoted-Printable", encoded)));

    [Theory]
    [InlineData("aGVsbG8=", "hello")]
    [InlineData("aGVs\r\nbG8h", "hello!")]
    [InlineData("aGVsbG8", "hello")]
    [InlineData("aGV*s bG8=after padding", "hello")]
    [InlineData("", "")]
    public void Base64_ValidAndBroken_GivesTheBytesItHolds(string encoded, string expected) =>
        Assert.Equal(expected, Encoding.Latin1.GetString(TransferEncoding.Decode("base64", encoded)));

    [Theory]
    [InlineData(null)]
    [InlineData("7bit")]
    [InlineData("x-unknown")]
    public void Decode_OtherEncoding_KeepsTheBytes(string? encoding) =>
        Assert.Equal([0x61, 0xE9, 0x3D], TransferEncoding.Decode(encoding, "a\u00E9="));

    [Fact]
    public void Base64_RandomBytes_ComeBack()
    {
        byte[] bytes = new byte[1001];
        new Random(1).NextBytes(bytes);
        Assert.Equal(bytes, TransferEncoding.Base64(Convert.ToBase64String(bytes, Base64FormattingOptions.InsertLineBreaks)));
    }
}
