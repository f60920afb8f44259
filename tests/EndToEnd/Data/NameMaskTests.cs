using Federated.Simulations.Data.Mail;

namespace Federated.EndToEnd.Tests.Data;

public sealed class NameMaskTests
{
    private static readonly PersonNames People = Learn();

    [Theory]
    [InlineData("Zoltan Mezei agrees", "<name> agrees")]
    [InlineData("Zoltan J. Mezei agrees", "<name> agrees")]
    [InlineData("Mezei, Zoltan agrees", "<name> agrees")]
    [InlineData("ask Zoltan or Mezei's friend", "ask <name> or <name> friend")]
    [InlineData("Zoltan\nMezei", "<name>")]
    [InlineData("Mark Hegedus came", "<name> came")]
    [InlineData("Mark Price", "Mark Price")]
    [InlineData("mark the price", "mark the price")]
    public void Apply_PersonOfTheCollection_IsReplacedInAnyMail(string text, string expected) =>
        Assert.Equal(expected, new NameMask(People, []).Apply(text));

    [Theory]
    [InlineData("Quentin", "signed Quentin", "signed <name>")]
    [InlineData("Lowest Rates", "The lowest rates in town", "The <name> in town")]
    [InlineData("Mark", "the mark of Mark", "the mark of Mark")]
    [InlineData("Mark Price", "so says Mark Price", "so says <name>")]
    [InlineData("=?x?", "nothing", "nothing")]
    public void Apply_OwnHeaderName_IsReplacedUnlessACommonWord(string own, string text, string expected) =>
        Assert.Equal(expected, new NameMask(People, [own]).Apply(text));

    [Theory]
    [InlineData("On Mon, 9 Sep 2002, Some Body wrote:\n> hi", "On Mon, 9 Sep 2002, <name> wrote:\n> hi")]
    [InlineData("From: Some Body <mail>\nTo: a; Other Body; <mail>", "From: <name>\nTo: <name>")]
    [InlineData("text\nCheers,\nBibi", "text\nCheers,\n<name>")]
    [InlineData("text\nMark", "text\n<name>")]
    [InlineData("Hi Mark\ntext", "Hi <name>\ntext")]
    [InlineData("From: the beginning", "From: the beginning")]
    [InlineData("Some great words wrote history", "Some great words wrote history")]
    public void Apply_PlaceWhereNamesStand_IsReplaced(string text, string expected) =>
        Assert.Equal(expected, new NameMask(People, []).Apply(text));

    [Fact]
    public void Apply_GivenNameBeforeUncommonWord_TakesBoth() =>
        Assert.Equal("says <name> today", new NameMask(People, []).Apply("says Zoltan Unheardof today"));

    [Fact]
    public void IsNamePart_WordThatManyMailsUse_IsNone()
    {
        PersonNames people = new();
        people.Learn("Debian", ["Debian Jones"]);
        for (int i = 0; i < PersonNames.MailsPerNaming; i++)
            people.Learn("Debian is used", []);

        Assert.False(people.IsNamePart("debian"));
        Assert.True(people.IsNamePart("jones"));
    }

    [Theory]
    [InlineData("Doe, John (Dublin)", "john doe")]
    [InlineData("John Q. Public", "john public")]
    [InlineData("O'Brien", "o'brien")]
    [InlineData("42!", "")]
    public void Words_FormsOfANames_AreNormalised(string name, string expected) => Assert.Equal(expected, string.Join(' ', PersonNames.Words(name)));

    private static PersonNames Learn()
    {
        PersonNames people = new();
        people.Learn("Zoltan said we mark prices and mark the price. Then a mark, a price, any price.", ["Zoltan Mezei", "Mark Price", "Mark Hegedus"]);
        people.Learn("some great words, the other body of text wrote history from the beginning", []);
        people.Learn("some great words, the other body of text wrote history, hi and cheers", []);
        return people;
    }
}
