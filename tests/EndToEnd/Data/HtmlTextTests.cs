using Federated.Simulations.Data.Mail;

namespace Federated.EndToEnd.Tests.Data;

public sealed class HtmlTextTests
{
    [Theory]
    [InlineData("<p>one</p><p>two  \n three</p>", "one\ntwo three")]
    [InlineData("a<br>b<hr>c", "a\nb\nc")]
    [InlineData("<b>bo</b>ld <i>text</i>", "bold text")]
    [InlineData("<table><tr><td>x<td>y<tr><td>z</table>", "x y\nz")]
    [InlineData("5 &lt; 6 &amp;&nbsp;&eacute;&#8364;", "5 < 6 & é€")]
    [InlineData("<style>p{}</style><script>alert(1)</script><title>t</title>seen", "seen")]
    [InlineData("<a href='http://x.org/a b'>go</a>now", "go <http://x.org/a+b> now")]
    [InlineData("<a href='#top'>up</a> <a name=x>here</a>", "up here")]
    [InlineData("<img src=x alt='a logo'>!", "a logo !")]
    [InlineData("<p>unclosed <b>tags<p>work", "unclosed tags\nwork")]
    [InlineData("<!-- hidden --><div>shown</div>", "shown")]
    [InlineData("", "")]
    public void Extract_TableOfCases_GivesWhatAReaderSees(string html, string expected) => Assert.Equal(expected, HtmlText.Extract(html));

    [Fact]
    public void Extract_NestedDeeply_DoesNotExhaustTheStack()
    {
        string html = string.Concat(Enumerable.Repeat("<div>", 20_000)) + "bottom";
        Assert.Equal("bottom", HtmlText.Extract(html));
    }
}
