using Federated.Client.Commands;
using Federated.Client.Tests.Training;

namespace Federated.Client.Tests.Commands;

[Collection(nameof(NativeState))]
public sealed class CommandLineTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("")]
    [InlineData("agent")]
    [InlineData("train")]
    [InlineData("evaluate")]
    public async Task Help_AnyCommand_HasAnExample(string command)
    {
        (int code, string output, _) = await CapturedConsole.RunAsync([.. command.Split(' ', StringSplitOptions.RemoveEmptyEntries), "--help"]);
        Assert.Equal(ExitCodes.Ok, code);
        Assert.Contains("Example", output, StringComparison.Ordinal);
        Assert.Contains($"client {command}", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Agent_OptionsMissing_NamesThem()
    {
        (int code, _, string error) = await CapturedConsole.RunAsync("agent");
        Assert.Equal(ExitCodes.Usage, code);
        Assert.All(["--coordinator", "--token-file", "--data"], option => Assert.Contains(option, error, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Agent_OptionsWrong_NamesAllAtOnce()
    {
        (int code, _, string error) = await CapturedConsole.RunAsync(
            "agent", "--coordinator", "http://coordinator.example.org:7443", "--token-file", _folder.Write("token", " \n"), "--data", _folder.Path + "/none.jsonl",
            "--ca", _folder.Write("ca.pem", "no certificate"), "--threads", "0", "--run", "Mail!", "--cache-gib", "-1");
        Assert.Equal(ExitCodes.BadConfiguration, code);
        Assert.All(
            ["plain text would show the token", "holds no token", "none.jsonl' does not exist", "holds no certificate", "--threads is 0", "--run 'Mail!'", "--cache-gib"],
            part => Assert.Contains(part, error, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("coordinator")]
    [InlineData("localhost:7443")]
    [InlineData("ftp://localhost")]
    public async Task Agent_AddressOfAnotherKind_SaysWhatIsWanted(string address)
    {
        (int code, _, string error) = await CapturedConsole.RunAsync("agent", "--coordinator", address, "--token-file", _folder.Write("token", "t"), "--data", _folder.Write("a.jsonl", ""));
        Assert.Equal(ExitCodes.BadConfiguration, code);
        Assert.Contains("https://coordinator.example.org:7443 was expected", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Agent_BrokenData_NamesTheLineAndNotTheText()
    {
        string data = _folder.Write("mail.jsonl", """{"text":"a","label":"ham"}""" + "\n" + """{"text":"secret" "label":"ham"}""" + "\n");
        (int code, _, string error) = await CapturedConsole.RunAsync(
            "agent", "--coordinator", "http://127.0.0.1:1", "--token-file", _folder.Write("token", "t"), "--data", data, "--state", _folder.Path + "/state");
        Assert.Equal(ExitCodes.BadData, code);
        Assert.Contains("mail.jsonl:2:", error, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Train_OptionsWrong_NamesAllAtOnce()
    {
        (int code, _, string error) = await CapturedConsole.RunAsync(
            "train", "--model", _folder.Path + "/none", "--data", _folder.Path + "/none.jsonl", "--labels", "ham", "--out", _folder.Path + "/out",
            "--steps", "0", "--learning-rate", "NaN", "--schedule", "sawtooth", "--holdout-share", "0.6");
        Assert.Equal(ExitCodes.BadConfiguration, code);
        Assert.All(["--model", "--data", "--labels", "--steps", "--learning-rate", "--schedule", "--holdout-share"], option => Assert.Contains(option, error, StringComparison.Ordinal));
    }
}
