using Federated.Simulations.Data.Mail;

namespace Federated.EndToEnd.Tests.Data;

public sealed class CharsetsTests
{
    [Theory]
    [InlineData("iso-8859-1", new byte[] { 0xE9, 0x80 }, "é€")]
    [InlineData("\"Windows-1252\"", new byte[] { 0x93, 0x94 }, "“”")]
    [InlineData("utf-8", new byte[] { 0xE2, 0x82, 0xAC }, "€")]
    [InlineData("windows-1251", new byte[] { 0xCF, 0xF0 }, "Пр")]
    [InlineData("koi8-r", new byte[] { 0xF0, 0xD2 }, "Пр")]
    [InlineData("iso-8859-2", new byte[] { 0xB1 }, "ą")]
    [InlineData("iso-8859-15", new byte[] { 0xA4 }, "€")]
    [InlineData("big5", new byte[] { 0xA4, 0xA4 }, "中")]
    [InlineData("GB2312_CHARSET", new byte[] { 0xD6, 0xD0 }, "中")]
    [InlineData("iso-2022-jp", new byte[] { 0x1B, 0x24, 0x42, 0x46, 0x7C, 0x1B, 0x28, 0x42 }, "日")]
    public void Decode_NamedCharset_GivesItsText(string charset, byte[] bytes, string expected) =>
        Assert.Equal(expected, Charsets.Decode(charset, bytes));

    [Theory]
    [InlineData(null)]
    [InlineData("us-ascii")]
    [InlineData("no-such-charset")]
    public void Decode_NothingUsefulDeclared_TriesUtf8ThenWindows1252(string? charset)
    {
        Assert.Equal("né", Charsets.Decode(charset, [0x6E, 0xC3, 0xA9]));
        Assert.Equal("né", Charsets.Decode(charset, [0x6E, 0xE9]));
    }

    [Theory]
    [InlineData("=?iso-8859-1?Q?Caf=E9_noir?=", "Café noir")]
    [InlineData("=?UTF-8?B?4oKs?= off", "€ off")]
    [InlineData("=?utf-8?q?a?=  =?utf-8?q?b?=", "ab")]
    [InlineData("=?utf-8*en?q?a?= =b", "a =b")]
    [InlineData("=?utf-8?x?bad?=", "=?utf-8?x?bad?=")]
    [InlineData("plain \u00E9", "plain é")]
    public void EncodedWords_TableOfRfc2047_AreDecoded(string raw, string expected) =>
        Assert.Equal(expected, EncodedWords.Decode(raw));
}
