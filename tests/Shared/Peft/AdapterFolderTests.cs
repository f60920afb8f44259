using Federated.Shared.Peft;
using Federated.Shared.Tensors;
using Federated.Tests.Support;

namespace Federated.Shared.Tests.Peft;

public sealed class AdapterFolderTests
{
    [Fact]
    public void Read_SettingsLongerThanAny_AreRefusedUnread()
    {
        using TemporaryFolder folder = new();
        new NamedTensors().Save(folder[AdapterFolder.WeightsFile]);
        using (FileStream file = File.Create(folder[AdapterFolder.ConfigFile]))
            file.SetLength(1L << 32);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Contains("1048576 bytes", Assert.Throws<PeftFormatException>(() => AdapterFolder.Read(folder.Path)).Message, StringComparison.Ordinal);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 4 << 20);
    }

    [Fact]
    public void Read_FileMissing_NamesIt()
    {
        PeftFormatException error = Assert.Throws<PeftFormatException>(() => AdapterFolder.Read(Path.Combine(Path.GetTempPath(), "no-such-adapter")));
        Assert.Contains("adapter_config.json is missing", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Check_TensorsThatDoNotFitTheSettings_ListsEveryFault()
    {
        NamedTensors tensors = new();
        tensors.Add(PeftNames.LoraA("a.q"), [3, 2], new float[6]);
        tensors.Add(PeftNames.LoraB("b.q"), [2, 4], new float[8]);
        tensors.Add(PeftNames.Magnitude("b.q"), [2], new float[2]);
        tensors.Add("stranger", [1], new float[1]);
        PeftFormatException error = Assert.Throws<PeftFormatException>(() => AdapterFolder.Check(Config, tensors, "update"));
        Assert.All(
            (string[])["'a.q' has LoraA but no LoraB", "shape (3, 2); the settings give rank 4", "'b.q' has LoraB but no LoraA", "'stranger' is none", "'b.q' has Magnitude but no LoraA"],
            part => Assert.Contains(part, error.Message, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(true, "has no DoRA magnitudes")]
    [InlineData(false, "use_dora is false")]
    public void Check_DoraSettingAndTensorsDisagree_SaysSo(bool useDora, string expected)
    {
        NamedTensors tensors = new();
        tensors.Add(PeftNames.LoraA("q"), [4, 2], new float[8]);
        tensors.Add(PeftNames.LoraB("q"), [2, 4], new float[8]);
        if (!useDora)
            tensors.Add(PeftNames.Magnitude("q"), [2], new float[2]);

        PeftFormatException error = Assert.Throws<PeftFormatException>(() => AdapterFolder.Check(Config with { UseDora = useDora }, tensors, "update"));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    private static LoraConfig Config => new() { Rank = 4, TargetModules = ModuleSelector.OfNames("q") };
}
