using Federated.Coordinator.Endpoints;
using Federated.Tests.Support;

namespace Federated.Coordinator.Tests.Endpoints;

public sealed class TokenFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Add_TwoTokensForOneSite_BothWork()
    {
        string first = TokenFile.Add(_folder["t"], new("alpha", CallerRole.Site)), second = TokenFile.Add(_folder["t"], new("alpha", CallerRole.Site));
        Assert.NotEqual(first, second);
        TokenFile tokens = TokenFile.Read(_folder["t"]);
        Assert.Equal(new Caller("alpha", CallerRole.Site), tokens.Find(first));
        Assert.Equal(new Caller("alpha", CallerRole.Site), tokens.Find(second));
        Assert.Null(tokens.Find(first + "x"));
        Assert.True(tokens.Knows("alpha"));
        Assert.False(tokens.Knows("beta"));
    }

    [Theory]
    [InlineData("site alpha")]
    [InlineData("site Alpha 0000000000000000000000000000000000000000000000000000000000000000")]
    [InlineData("king alpha 0000000000000000000000000000000000000000000000000000000000000000")]
    [InlineData("site alpha 000000000000000000000000000000000000000000000000000000000000000g")]
    [InlineData("site alpha 0000000000000000000000000000000000000000000000000000000000000000 x")]
    public void Read_LineThatIsNone_NamesFileAndLine(string line)
    {
        File.WriteAllText(_folder["t"], $"# a comment\n\n{line}\n");
        Assert.Contains($"{_folder["t"]}, line 3:", Assert.Throws<InvalidDataException>(() => TokenFile.Read(_folder["t"])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_SameTokenForTwoSites_IsRefused()
    {
        string hash = new('0', 64);
        File.WriteAllText(_folder["t"], $"site alpha {hash}\nsite beta {hash}\n");
        Assert.Contains("line 2", Assert.Throws<InvalidDataException>(() => TokenFile.Read(_folder["t"])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_NoFile_SaysHowToMakeOne() =>
        Assert.Contains("coordinator token", Assert.Throws<InvalidDataException>(() => TokenFile.Read(_folder["none"])).Message, StringComparison.Ordinal);
}
