using System.Text;
using Federated.Simulations.Data.Mail;

namespace Federated.EndToEnd.Tests.Data;

public sealed class ParsedMailTests
{
    [Fact]
    public void Read_MboxLineAndFoldedHeaders_GivesSubjectBodyAndNames()
    {
        ParsedMail mail = Read("""
            From list-admin@x.org  Thu Aug 22 12:36:23 2002
            From: "Doe, Jane (Dublin)" <jane.doe@x.org>
            To: list@x.org, Rob O'Brien <rob@y.org>
            Cc: kim@z.org (Kim Vu)
            Subject: New
             =?utf-8?q?s=C3=A9quence?=

            Hello there.
            """);

        Assert.Equal("New séquence", mail.Subject);
        Assert.Equal("Hello there.", mail.Body.Trim());
        Assert.Equal(["Doe, Jane", "Dublin", "Rob O'Brien", "Kim Vu", "jane doe"], mail.HeaderNames.Order(StringComparer.Ordinal).OrderBy(name => Array.IndexOf(["Doe, Jane", "Dublin", "Rob O'Brien", "Kim Vu", "jane doe"], name)));
    }

    [Fact]
    public void Read_Alternative_PrefersPlainText()
    {
        string mail = """
            Content-Type: multipart/alternative; boundary="b;1"

            preamble
            --b;1
            Content-Type: text/html

            <p>html</p>
            --b;1
            Content-Type: text/plain; charset=iso-8859-1
            Content-Transfer-Encoding: quoted-printable

            pl=E9in
            --b;1--
            epilogue
            """;

        Assert.Equal("pléin", Read(mail).Body.Trim());
    }

    [Fact]
    public void Read_AlternativeWithBlankPlainText_TakesHtml() =>
        Assert.Equal("html", Read("""
            Content-Type: multipart/alternative; boundary=b

            --b
            Content-Type: text/plain

               
            --b
            Content-Type: text/html

            <p>html</p>
            --b--
            """).Body.Trim());

    [Fact]
    public void Read_MixedWithAttachmentAndEnclosedMail_TakesTextPartsOnly()
    {
        ParsedMail mail = Read("""
            Content-Type: multipart/mixed; boundary=b

            --b
            Content-Type: text/plain

            first
            --b
            Content-Type: text/plain; name=notes.txt
            Content-Disposition: attachment; filename=notes.txt

            attached
            --b
            Content-Type: image/gif
            Content-Transfer-Encoding: base64

            R0lGODlh
            --b
            Content-Type: message/rfc822

            From: Ann Other <a@b.c>
            Subject: inner

            enclosed
            --b--
            """);

        Assert.Equal(["first", "enclosed"], mail.Body.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Contains("Ann Other", mail.HeaderNames);
    }

    [Theory]
    [InlineData("Content-Type: multipart/mixed\n\nno boundary", "")]
    [InlineData("Content-Type: multipart/mixed; boundary=b\n\nnever used", "")]
    [InlineData("Content-Type: text/plain\n\nbody", "body")]
    [InlineData("no header at all\n\nbody", "body")]
    [InlineData("Subject: only", "")]
    [InlineData("", "")]
    [InlineData("Content-Type: multipart/mixed; boundary=b\n\n--b\n\nunclosed", "unclosed")]
    [InlineData("Content-Type: text/plain\n\n<html><body>really <b>html</b></body></html>", "really html")]
    public void Read_BrokenStructure_NeverThrows(string raw, string expected) => Assert.Equal(expected, Read(raw).Body.Trim());

    [Fact]
    public void Read_NestedBeyondTheLimit_StopsOpening()
    {
        StringBuilder raw = new();
        for (int i = 0; i < 10_000; i++)
            raw.Append("Content-Type: message/rfc822\n\n");

        Assert.Equal("", Read(raw.Append("Subject: deep\n\nbottom").ToString()).Body.Trim());
    }

    [Fact]
    public void Read_LargerThanTheLimit_SaysSo()
    {
        InvalidDataException error = Assert.Throws<InvalidDataException>(() => ParsedMail.Read(new byte[ParsedMail.MaxBytes + 1]));
        Assert.Contains("33,554,433", error.Message, StringComparison.Ordinal);
    }

    private static ParsedMail Read(string mail) => ParsedMail.Read(Encoding.Latin1.GetBytes(mail));
}
