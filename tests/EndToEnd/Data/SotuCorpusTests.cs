using System.Text.Json;
using Federated.Simulations.Data;
using Federated.Tests.Support;

namespace Federated.EndToEnd.Tests.Data;

public sealed class SotuCorpusTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Read_TwentyAddresses_HoldsOutThe6thAndThe16thInOrderOfTime()
    {
        for (int i = 0; i < 20; i++)
            Put(1999 - i, "text");

        IReadOnlyList<SotuAddress> addresses = SotuCorpus.Read(_folder.Path);
        Assert.Equal(Enumerable.Range(1980, 20), addresses.Select(address => address.Year));
        Assert.Equal([1985, 1995], addresses.Where(address => address.HeldOut).Select(address => address.Year));
    }

    [Fact]
    public void Write_Addresses_GivesLinesAndTwoTexts()
    {
        for (int i = 0; i < 10; i++)
            Put(1790 + i, $"address  {i}\r\n\r\nend");

        SotuCorpus.Write(SotuCorpus.Read(_folder.Path), _folder["out"]);

        Assert.Equal("address 5\nend\n", File.ReadAllText(_folder["out/sotu-heldout.txt"]));
        Assert.StartsWith("address 0\nend\n\naddress 1\nend\n\n", File.ReadAllText(_folder["out/sotu-train.txt"]), StringComparison.Ordinal);
        string[] lines = File.ReadAllLines(_folder["out/sotu.jsonl"]);
        Assert.Equal(10, lines.Length);
        using JsonDocument first = JsonDocument.Parse(lines[0]);
        Assert.Equal("early-republic", first.RootElement.GetProperty("era").GetString());
        Assert.Equal("A B", first.RootElement.GetProperty("president").GetString());
    }

    [Theory]
    [InlineData(1790, "early-republic")]
    [InlineData(1860, "antebellum")]
    [InlineData(1861, "civil-war-and-reconstruction")]
    [InlineData(2021, "contemporary")]
    public void EraOf_Year_IsTheOneItFallsInto(int year, string expected) => Assert.Equal(expected, SotuCorpus.EraOf(year));

    [Theory]
    [InlineData("{", "is no address with the fields")]
    [InlineData("""{"year":1800}""", "is no address with the fields")]
    [InlineData("""{"year":"x","name":"a","party":"b","text":"c"}""", "is no address with the fields")]
    [InlineData("""{"year":1500,"name":"a","party":"b","text":"c"}""", "year 1500")]
    [InlineData("""{"year":1800,"name":"a","party":"b","text":" "}""", "an empty text")]
    public void Read_WrongFile_NamesIt(string json, string expected)
    {
        File.WriteAllText(_folder["1800_x_d.json"], json);
        InvalidDataException error = Assert.Throws<InvalidDataException>(() => SotuCorpus.Read(_folder.Path));
        Assert.Contains("1800_x_d.json", error.Message, StringComparison.Ordinal);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_NoFolderOrNothingInIt_SaysWhatToDo()
    {
        Assert.Contains("eng/prepare-sotu.sh", Assert.Throws<DirectoryNotFoundException>(() => SotuCorpus.Read(_folder["none"])).Message, StringComparison.Ordinal);
        Assert.Contains("1830_andrew_jackson_d.json", Assert.Throws<InvalidDataException>(() => SotuCorpus.Read(_folder.Path)).Message, StringComparison.Ordinal);
    }

    private void Put(int year, string text) =>
        File.WriteAllText(_folder[$"{year}_a_b.json"], JsonSerializer.Serialize(new { year, name = "A B", party = "none", text }));
}
