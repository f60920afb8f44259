using Federated.Tests.Support;

namespace Federated.Client.Tests.Fixtures;

/// <summary>Every folder of golden data made by the official code, one test each.</summary>
public sealed class FixtureTests
{
    /// <summary>Architectures and adapters that this version does not know yet. A folder that is neither here nor passes is a failure.</summary>
    private static readonly string[] NotYet =
    [
        "peft-adalora-llama", "peft-olora-llama", "peft-pissa-llama",
        "peft-weighted-llama", "train-adalora-llama",
    ];

    public static TheoryData<string> Folders => [.. AllFolders().Except(NotYet)];

    [Theory]
    [MemberData(nameof(Folders))]
    public void Folder_FromOfficialCode_GivesTheSameNumbers(string name)
    {
        if (Golden.KindOf(name) == "tokenizer")
        {
            TokenizerChecks.Run(name);
            return;
        }

        using Golden golden = new(name);
        switch (golden.Kind)
        {
            case "model":
                ModelChecks.Run(golden);
                break;
            case "peft" when golden.Has("losses"):
                TraceChecks.Run(golden);
                break;
            case "peft":
                AdapterChecks.Run(golden);
                break;
            default:
                Assert.Fail($"{name}: fixture.json says kind '{golden.Kind}', which no check covers.");
                break;
        }
    }

    [Fact]
    public void NotYet_EveryName_IsAFolder() => Assert.Empty(NotYet.Except(AllFolders()));

    private static string[] AllFolders()
    {
        string[] folders = [.. Directory.EnumerateDirectories(Repository.Fixtures).Select(folder => Path.GetFileName(folder)).Order(StringComparer.Ordinal)];
        return folders.Length > 0 ? folders : throw new DirectoryNotFoundException($"No fixture below {Repository.Fixtures}.");
    }
}
