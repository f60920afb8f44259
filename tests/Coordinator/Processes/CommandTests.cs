using Federated.Coordinator.Store;
using Federated.Coordinator.Tests.Support;
using Federated.Shared.Protocol;
using Federated.Tests.Support;
using Microsoft.Data.Sqlite;

namespace Federated.Coordinator.Tests.Processes;

/// <summary>The program from outside: arguments, exit codes, what it says.</summary>
public sealed class CommandTests : IDisposable
{
    private readonly TestWorld _world = new();

    public void Dispose() => _world.Dispose();

    [Fact]
    public async Task Serve_SecondCoordinatorOnTheSameState_Exits75AndTheFirstGoesOn()
    {
        using CoordinatorProcess first = CoordinatorProcess.Serve(_world);
        Uri address = await first.AddressAsync(_world);
        using CoordinatorProcess second = CoordinatorProcess.Start(null,
            ["serve", "--run", _world.Runs[0], "--state", _world.State, "--tokens", _world.TokenFile, "--listen", "http://127.0.0.1:0"]);
        (int code, _, string error) = await second.EndAsync();
        Assert.Equal(75, code);
        Assert.Contains("in use by another coordinator", error, StringComparison.Ordinal);

        using TestSite site = new(address, "alpha", _world.Tokens["alpha"]);
        Assert.Equal("alpha", (await site.JoinAsync()).Site);
    }

    [Fact]
    public async Task Serve_Terminated_StopsInOrder()
    {
        using CoordinatorProcess coordinator = CoordinatorProcess.Serve(_world);
        using TestSite site = new(await coordinator.AddressAsync(_world), "alpha", _world.Tokens["alpha"]);
        await site.JoinAsync();
        using TaskStream work = await site.WorkAsync();
        coordinator.Terminate();
        (int code, string output, string error) = await coordinator.EndAsync();
        Assert.Equal((0, ""), (code, output));
        Assert.DoesNotContain(_world.Tokens["alpha"], error, StringComparison.Ordinal);
        using SqliteJournal journal = SqliteJournal.Open(Path.Combine(_world.State, "journal.db"), new TestClock());
        Assert.IsType<CleanStop>(journal.ReadAll().Last());
    }

    [Fact]
    public async Task Serve_EverythingWrong_SaysItAllAtOnceAndExits78()
    {
        string run = _world.Write("bad.yaml", TinyModel.Yaml("model").Replace("rounds: 2", "rounds: 0", StringComparison.Ordinal));
        string tokens = _world.Write("bad.tokens", "site alpha 123\n");
        (int code, string error) = await EndAsync("serve", "--run", run, "--state", _world.State, "--tokens", tokens, "--listen", "http://0.0.0.0:1");
        Assert.Equal(78, code);
        Assert.Contains("rounds (line 5) is 0", error, StringComparison.Ordinal);
        Assert.Contains("bad.tokens, line 1", error, StringComparison.Ordinal);
        Assert.Contains("plain text is for loopback only", error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_world.State));
    }

    [Theory]
    [InlineData("PRAGMA user_version = 99", 64)]
    [InlineData("UPDATE journal SET payload = x'00' WHERE lsn = 1", 65)]
    public async Task Serve_StateThatCannotBeUsed_SaysWhichWay(string edit, int expected)
    {
        await (await TestCoordinator.StartAsync(_world)).DisposeAsync();
        using (SqliteConnection connection = new($"Data Source={Path.Combine(_world.State, "journal.db")};Pooling=False"))
        {
            connection.Open();
            using SqliteCommand command = connection.CreateCommand();
            command.CommandText = edit;
            command.ExecuteNonQuery();
        }

        using CoordinatorProcess coordinator = CoordinatorProcess.Serve(_world);
        Assert.Equal(expected, (await coordinator.EndAsync()).Code);
    }

    [Fact]
    public async Task Check_GoodAndBad_SaysWhich()
    {
        using CoordinatorProcess good = CoordinatorProcess.Start(null, "check", "--run", _world.Runs[0]);
        (int code, string output, _) = await good.EndAsync();
        Assert.Equal(0, code);
        Assert.Contains("mail: 2 rounds of fedit over 3 sites", output, StringComparison.Ordinal);

        (code, string error) = await EndAsync("check", "--run", _world.Write("bad.yaml", "run: [a"));
        Assert.Equal(78, code);
        Assert.Contains(", column", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Token_New_IsShownOnceAndOnlyItsHashIsKept()
    {
        string file = Path.Combine(_world.Folder, "new.tokens"), secret = Path.Combine(_world.Folder, "site.token");
        using CoordinatorProcess process = CoordinatorProcess.Start(null, "token", "--site", "clinic-a", "--tokens", file, "--out", secret);
        Assert.Equal((0, "", ""), await process.EndAsync());
        string token = (await File.ReadAllTextAsync(secret)).Trim();
        Assert.Equal(43, token.Length);
        Assert.Equal($"site clinic-a {ContentHash.Of(System.Text.Encoding.ASCII.GetBytes(token))}\n", await File.ReadAllTextAsync(file));
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(secret));
        Assert.Equal(78, (await EndAsync("token", "--site", "Clinic A", "--tokens", file)).Code);
    }

    private static async Task<(int Code, string Error)> EndAsync(params string[] arguments)
    {
        using CoordinatorProcess process = CoordinatorProcess.Start(null, arguments);
        (int code, _, string error) = await process.EndAsync();
        return (code, error);
    }
}
