using Federated.Simulations.Data.Mail;

namespace Federated.EndToEnd.Tests.Data;

public sealed class AddressMaskTests
{
    [Theory]
    [InlineData("write to jane.doe+x@mail.example.org now", "write to <mail> now")]
    [InlineData("Jane <jane@localhost>", "Jane <mail>")]
    [InlineData("[mailto:jane@x.org]", "<mail>")]
    [InlineData("see mailto: jane", "see <mail>")]
    [InlineData("(mailto:)", "()")]
    [InlineData("jane @ x.org", "<mail>")]
    [InlineData("jane at x dot org", "<mail>")]
    [InlineData("jane (at) x.org", "<mail>")]
    [InlineData("jane AT x DOT co DOT uk", "<mail>")]
    [InlineData("jane*x.org", "<mail>")]
    [InlineData("5 items @ $3", "5 items @ $3")]
    public void Apply_MailAddress_BecomesAToken(string text, string expected) => Assert.Equal(expected, AddressMask.Apply(text));

    [Theory]
    [InlineData("see http://www.x.org/~jane?id=7 and", "see <url> and")]
    [InlineData("(<https://x.org>)", "<url>")]
    [InlineData("www.x.org/page", "<url>")]
    [InlineData("buy.example.com sells", "<url> sells")]
    [InlineData("host 192.168.1.17 up", "host <ip> up")]
    [InlineData("version 2.0.1 of e.g. this", "version 2.0.1 of e.g. this")]
    public void Apply_LinkOrHost_BecomesAToken(string text, string expected) => Assert.Equal(expected, AddressMask.Apply(text));

    [Theory]
    [InlineData("call (212) 555-0199 today")]
    [InlineData("call 212-555-0199 today")]
    [InlineData("call 212.555.0199 today")]
    [InlineData("call 1-800-555-0199 today")]
    [InlineData("call 1-888-BUY-THIS today")]
    [InlineData("call +353 1 555 0199 today")]
    [InlineData("call +44 (0)20 7946 0999 today")]
    [InlineData("call 555-0199 today")]
    [InlineData("call 01225 447227 today")]
    [InlineData("call 0312. 439 2850 today")]
    public void Apply_TelephoneNumber_BecomesAToken(string text) => Assert.Equal("call <phone> today", AddressMask.Apply(text));

    [Theory]
    [InlineData("Tel: 312 446 99 24", "Tel: <phone>")]
    [InlineData("Fax No. 446 91 54", "Fax No. <phone>")]
    [InlineData("Tel: 212-555-0199, 462 3320", "Tel: <phone>, <phone>")]
    [InlineData("order 123456789", "order <number>")]
    [InlineData("key A1B2C3D4E5F6A7", "key <id>")]
    [InlineData("live at 12 Long Hill Road, Bath", "live at <street>, Bath")]
    [InlineData("P.O. Box 1533", "<street>")]
    public void Apply_OtherTrace_BecomesAToken(string text, string expected) => Assert.Equal(expected, AddressMask.Apply(text));

    [Theory]
    [InlineData("on 2002-09-21 at 16:41:07")]
    [InlineData("12-31-02 or 31-12-2002")]
    [InlineData("earn $1,500,000.00 in 90 days")]
    [InlineData("Windows 2000 and 98, 4 to 5%")]
    [InlineData("internationalisation of implementation-defined words")]
    public void Apply_DatesAmountsAndWords_Stay(string text) => Assert.Equal(text, AddressMask.Apply(text));

    [Theory]
    [InlineData("jane@x.org 212-555-0199 http://x.org 12 Long Hill Road")]
    [InlineData("<mail> <url> <phone> <number> <id> <ip> <street> <name>")]
    public void Apply_Twice_ChangesNothingMore(string text)
    {
        string once = AddressMask.Apply(text);
        Assert.Equal(once, AddressMask.Apply(once));
    }
}
