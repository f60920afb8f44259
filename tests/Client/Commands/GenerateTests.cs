using System.Text.Json;
using Federated.Client.Commands;
using Federated.Client.Tests.Agent;
using Federated.Client.Tests.Training;

namespace Federated.Client.Tests.Commands;

[Collection(nameof(NativeState))]
public sealed class GenerateTests : IDisposable
{
    private readonly TinyModel _tiny = new();

    public void Dispose() => _tiny.Dispose();

    [Fact]
    public async Task Generate_SameSeed_GivesTheSameTextStreamedOrWhole()
    {
        (int code, string streamed, string error) = await RunAsync("--prompt", "see you", "--temperature", "1", "--seed", "3");
        Assert.Equal(ExitCodes.Ok, code);
        Assert.Contains("a second", error, StringComparison.Ordinal);
        GenerationOutput whole = await JsonAsync("--prompt", "see you", "--temperature", "1", "--seed", "3"), other = await JsonAsync("--prompt", "see you", "--temperature", "1", "--seed", "4");
        Assert.Equal(whole.Text + Environment.NewLine, streamed);
        Assert.NotEqual(whole.Text, other.Text);
        Assert.InRange(whole.Tokens, 1, 12);
    }

    [Fact]
    public async Task Generate_Chat_WritesThePromptAsTheTemplateWants()
    {
        string template = _tiny.Write("template.jinja", "{% for message in messages %}[{{ message.role }}] {{ message.content }} {% endfor %}{% if add_generation_prompt %}[assistant]{% endif %}");
        GenerationOutput chat = await JsonAsync("--chat", "--chat-template", template, "--system", "be brief", "--prompt", "see you");
        GenerationOutput written = await JsonAsync("--prompt", "[system] be brief [user] see you [assistant]");
        Assert.Equal((written.PromptTokens, written.Text), (chat.PromptTokens, chat.Text));
    }

    [Fact]
    public async Task Generate_ChatWithAModelThatHasNoTemplate_SaysSo()
    {
        (int code, _, string error) = await RunAsync("--chat", "--prompt", "see you");
        Assert.Equal(ExitCodes.BadData, code);
        Assert.Contains("has no chat template", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Generate_OptionsThatCannotBeFollowed_AreAllTold()
    {
        (int code, _, string error) = await RunAsync("--prompt", "x", "--prompt-file", "nowhere", "--system", "y", "--top-p", "0", "--top-k", "0");
        Assert.Equal(ExitCodes.BadConfiguration, code);
        foreach (string option in (string[])["--prompt-file", "--system", "--top-p", "--top-k"])
            Assert.Contains(option, error, StringComparison.Ordinal);
    }

    private async Task<GenerationOutput> JsonAsync(params string[] more)
    {
        (int code, string output, string error) = await RunAsync([.. more, "--json"]);
        Assert.Equal((ExitCodes.Ok, ""), (code, error));
        return JsonSerializer.Deserialize(output, CommandJson.Default.GenerationOutput)!;
    }

    private Task<(int Code, string Output, string Error)> RunAsync(params string[] more) =>
        CapturedConsole.RunAsync(["generate", "--model", _tiny.Model, "--max-new-tokens", "12", "--threads", "1", .. more]);
}
