using System.Diagnostics;
using Federated.Client.Commands;
using Federated.Client.Tests.Agent;
using Federated.Shared.Protocol;

namespace Federated.Client.Tests.Commands;

/// <summary>The real program as a process of its own.</summary>
public sealed class AgentProcessTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Agent_Terminated_EndsWithZeroAndATidyFolder()
    {
        await using FakeCoordinator coordinator = await FakeCoordinator.StartAsync();
        using Process agent = Start(coordinator);
        Task<string> output = agent.StandardOutput.ReadToEndAsync(), error = agent.StandardError.ReadToEndAsync();
        await coordinator.Streams.Reader.NextAsync();
        using (Process kill = Process.Start("kill", ["-TERM", $"{agent.Id}"]))
            await kill.WaitForExitAsync();
        await agent.WaitForExitAsync().WaitAsync(Patience.Limit);
        Assert.Equal(ExitCodes.Ok, agent.ExitCode);
        Assert.Equal("", await error);
        Assert.Contains("stopped", await output, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(State, "*", SearchOption.AllDirectories));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(State));
    }

    [Fact]
    public async Task Agent_WrongToken_EndsWithNoPermissionAndSaysWhy()
    {
        await using FakeCoordinator coordinator = await FakeCoordinator.StartAsync();
        coordinator.Joining = _ => throw FakeCoordinator.Refusal(RejectReason.NoIdentity);
        using Process agent = Start(coordinator);
        Task<string> output = agent.StandardOutput.ReadToEndAsync(), error = agent.StandardError.ReadToEndAsync();
        await agent.WaitForExitAsync().WaitAsync(Patience.Limit);
        Assert.Equal(ExitCodes.Refused, agent.ExitCode);
        Assert.Contains("refused: NoIdentity", await error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", await output + await error, StringComparison.Ordinal);
        Assert.Equal(1, coordinator.Joins);
    }

    /// <summary>In the client's own output, since the copy beside the tests lacks what the tests' framework brings; same configuration as theirs.</summary>
    private static string Program { get; } = Path.GetFullPath(Path.Combine(
        AppContext.BaseDirectory, "..", "..", "Federated.Client", new DirectoryInfo(AppContext.BaseDirectory).Name, "Federated.Client.dll"));

    private string State => Path.Combine(_folder.Path, "state");

    private Process Start(FakeCoordinator coordinator)
    {
        ProcessStartInfo start = new("dotnet", [
            Program, "agent", "--coordinator", coordinator.Address.ToString(),
            "--token-file", _folder.Write("token", "token-1"), "--data", _folder.Write("mail.jsonl", """{"text":"a","label":"ham"}""" + "\n"), "--state", State])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        return Process.Start(start)!;
    }
}
