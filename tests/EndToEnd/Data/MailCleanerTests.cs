using Federated.Simulations.Data.Mail;

namespace Federated.EndToEnd.Tests.Data;

public sealed class MailCleanerTests
{
    [Theory]
    [InlineData("Re: [ILUG] mounting", "Re: mounting")]
    [InlineData("[SAtalk] [Fwd] a\tb", "a b")]
    [InlineData("100% free!!!!!!!!", "100% free!!!")]
    public void Subject_ListTagAndDecoration_AreTakenAway(string subject, string expected) => Assert.Equal(expected, MailCleaner.Subject(subject));

    [Theory]
    [InlineData("text\n-- \nJane Doe\nAcme", "text")]
    [InlineData("> text\n> -- \n> Jane\nreply", "> text\nreply")]
    [InlineData("text\n_______________________________\nIlug mailing list\nIlug@x\nhttp://x/mailman/listinfo/ilug", "text")]
    [InlineData("text\n-------------------------------------------------------\nThis sf.net email is sponsored by:ThinkGeek", "text")]
    [InlineData("-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA1\n\ntext\n-----BEGIN PGP SIGNATURE-----\nabc\n-----END PGP SIGNATURE-----", "text")]
    [InlineData("URL: http://x.org/1\nDate: 2002-10-08T03:31:10-05:00\n\ntext", "text")]
    public void Body_MarkOfWhereItWasCollected_IsTakenAway(string body, string expected) => Assert.Equal(expected, MailCleaner.Body(body));

    [Theory]
    [InlineData(">> > deep", "> deep")]
    [InlineData("a \u00A0 b\u200B\u0007\t c", "a b c")]
    [InlineData("one\n\n\n  two  ", "one\ntwo")]
    [InlineData("==========", "===")]
    [InlineData("the -- dash stays\nmore", "the -- dash stays\nmore")]
    public void Body_Layout_IsReduced(string body, string expected) => Assert.Equal(expected, MailCleaner.Body(body));

    [Fact]
    public void Body_LongTextAfterSignatureMark_LosesADozenLinesOnly()
    {
        string body = "--\n" + string.Join('\n', Enumerable.Range(0, 30).Select(i => $"line {(char)('a' + (i % 26))}{i}"));
        Assert.Equal(18, MailCleaner.Body(body).Split('\n').Length);
    }
}
