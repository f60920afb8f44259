using Federated.Tests.Support;

namespace Federated.Client.Tests.Fixtures;

/// <summary>Every folder of golden data made by the official code, one test each; one that no check knows is a failure.</summary>
public sealed class FixtureTests
{
    public static TheoryData<string> Folders => [.. AllFolders()];

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
            case "peft" when golden.Has("budgets"):
                AdaLoraTraceChecks.Run(golden);
                break;
            case "peft" when golden.Has("losses"):
                TraceChecks.Run(golden);
                break;
            case "peft" when golden.Has("logits.both"):
                WeightedChecks.Run(golden);
                break;
            case "peft" when golden.Has("converted.logits"):
                AdapterChecks.Run(golden);
                InitialiserChecks.Run(golden);
                break;
            case "peft":
                AdapterChecks.Run(golden);
                break;
            default:
                Assert.Fail($"{name}: fixture.json says kind '{golden.Kind}', which no check covers.");
                break;
        }
    }

    private static string[] AllFolders()
    {
        string[] folders = [.. Directory.EnumerateDirectories(Repository.Fixtures).Select(folder => Path.GetFileName(folder)).Order(StringComparer.Ordinal)];
        return folders.Length > 0 ? folders : throw new DirectoryNotFoundException($"No fixture below {Repository.Fixtures}.");
    }
}
