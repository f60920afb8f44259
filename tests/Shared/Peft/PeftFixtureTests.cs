using System.Text.Json;
using System.Text.Json.Nodes;
using Federated.Shared.Peft;
using Federated.Shared.Tensors;
using Federated.Tests.Support;

namespace Federated.Shared.Tests.Peft;

/// <summary>Adapters that the official library wrote: read, understood, and written again byte for byte.</summary>
public sealed class PeftFixtureTests
{
    public static TheoryData<string> Adapters { get; } =
    [
        .. Directory.EnumerateFiles(Repository.Fixtures, AdapterFolder.ConfigFile, SearchOption.AllDirectories)
            .Where(path => Type(path) == "LORA").Select(path => Path.GetRelativePath(Repository.Fixtures, Path.GetDirectoryName(path)!))
            .Order(StringComparer.Ordinal),
    ];

    /// <summary>Those of every kind that is read here.</summary>
    public static TheoryData<string> AdaptersOfAnyKind { get; } =
    [
        .. Directory.EnumerateFiles(Repository.Fixtures, AdapterFolder.ConfigFile, SearchOption.AllDirectories)
            .Where(path => PeftKinds.Names.Contains(Type(path))).Select(path => Path.GetRelativePath(Repository.Fixtures, Path.GetDirectoryName(path)!))
            .Order(StringComparer.Ordinal),
    ];

    [Theory]
    [MemberData(nameof(AdaptersOfAnyKind))]
    public void Write_OfWhatWasRead_GivesTheOfficialBytes(string adapter)
    {
        string original = Path.Combine(Repository.Fixtures, adapter);
        DirectoryInfo copy = Directory.CreateTempSubdirectory("adapter");
        try
        {
            AdapterFolder sut = AdapterFolder.Read(original);
            AdapterFolder.Write(copy.FullName, sut.Config, sut.Tensors);

            Assert.Equal(Bytes(original, AdapterFolder.WeightsFile), Bytes(copy.FullName, AdapterFolder.WeightsFile));
            Assert.Equal(Text(original), Text(copy.FullName));
            Assert.Equal(2, copy.GetFiles().Length);
        }
        finally
        {
            copy.Delete(recursive: true);
        }
    }

    [Theory]
    [MemberData(nameof(Adapters))]
    public void TensorNames_OfOfficialFiles_ParseAndFormatBack(string adapter)
    {
        AdapterFolder sut = AdapterFolder.Read(Path.Combine(Repository.Fixtures, adapter));
        Assert.All(sut.Tensors.Names, name => Assert.Equal(name, PeftNames.Format(PeftNames.Parse(name))));
    }

    [Theory]
    [MemberData(nameof(Adapters))]
    public void Resolve_OnTheBaseModelsModules_SelectsThoseThatTheOfficialLibraryAdapted(string adapter)
    {
        AdapterFolder sut = AdapterFolder.Read(Path.Combine(Repository.Fixtures, adapter));
        string[] adapted =
        [
            .. sut.Tensors.Names.Select(PeftNames.Parse).Where(n => n.Part is PeftPart.LoraA or PeftPart.EmbeddingA).Select(n => n.Module).Order(StringComparer.Ordinal),
        ];

        IReadOnlyList<LoraTarget> targets = LoraTargets.Resolve((LoraConfig)sut.Config, BaseModules(sut.Config.BaseModelNameOrPath ?? "mixer"));

        Assert.Equal(adapted, targets.Select(t => t.Module.Name).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Resolve_AllLinear_SelectsThoseThatTheOfficialLibraryResolvedItTo()
    {
        AdapterFolder resolved = AdapterFolder.Read(Path.Combine(Repository.Fixtures, "peft-lora-llama-all-linear"));
        LoraConfig config = (LoraConfig)resolved.Config with { TargetModules = ModuleSelector.AllLinear };
        Assert.Equal(
            LoraTargets.Resolve((LoraConfig)resolved.Config, BaseModules("llama")),
            LoraTargets.Resolve(config, BaseModules("llama")));
    }

    [Theory]
    [MemberData(nameof(Adapters))]
    public void IsSavedWhole_OfTensorsStoredWhole_IsTrue(string adapter)
    {
        AdapterFolder sut = AdapterFolder.Read(Path.Combine(Repository.Fixtures, adapter));
        string[] strangers =
        [
            .. sut.Tensors.Names.Select(PeftNames.Parse)
                .Where(n => n.Part == PeftPart.Whole && !(n.Parameter == "bias" && ((LoraConfig)sut.Config).Bias == LoraBias.All))
                .Select(n => n.Module).Where(module => !sut.Config.IsSavedWhole(module)),
        ];
        Assert.Empty(strangers);
    }

    [Theory]
    [MemberData(nameof(AdaptersOfAnyKind))]
    public void Write_OfSettingsAlone_GivesEveryFieldItsOfficialValue(string adapter)
    {
        JsonObject official = JsonNode.Parse(Text(Path.Combine(Repository.Fixtures, adapter)))!.AsObject();
        PeftConfig sut = AdapterFolder.Read(Path.Combine(Repository.Fixtures, adapter)).Config with { Origin = null };

        JsonObject written = JsonNode.Parse(sut.ToJson())!.AsObject();

        // Fields that only say what is not supported here are empty in these files; the model's class is the file's own affair.
        Assert.All(written.Where(field => field.Key != "auto_mapping"), field => Assert.True(JsonNode.DeepEquals(field.Value, official[field.Key]), $"{field.Key}: {field.Value} instead of {official[field.Key]}"));
        Assert.All(official, field => Assert.True(
            written.ContainsKey(field.Key) || field.Key is "peft_version" or "r" or "auto_mapping" || field.Value is null or JsonArray { Count: 0 } or JsonObject { Count: 0 }
                || (field.Value is JsonValue value && (field.Key == "megatron_core" || (value.TryGetValue(out bool flag) && !flag))), field.Key));
    }

    [Fact]
    public void Parse_AnUnknownKind_NamesItAndTheKnownOnes()
    {
        PeftFormatException error = Assert.Throws<PeftFormatException>(() => PeftConfig.Parse("""{"peft_type": "XLORA"}"""u8.ToArray(), "file"));
        Assert.Contains("XLORA", error.Message, StringComparison.Ordinal);
        Assert.Contains("ADALORA", error.Message, StringComparison.Ordinal);
    }

    /// <summary>Modules with a weight, from the checkpoint: matrices are linear unless their name says embedding.</summary>
    private static List<ModuleSite> BaseModules(string model)
    {
        List<ModuleSite> modules = [];
        foreach (string path in Directory.EnumerateFiles(Path.Combine(Repository.Fixtures, model), "model*.safetensors"))
        {
            using SafetensorsFile file = SafetensorsFile.Open(path);
            foreach (TensorInfo tensor in file.Tensors.Where(t => t.Name.EndsWith(".weight", StringComparison.Ordinal)))
            {
                string name = tensor.Name[..^".weight".Length];
                bool isTable = name.Contains("embed_tokens", StringComparison.Ordinal) || name.EndsWith("_embeddings", StringComparison.Ordinal) || name is "transformer.wte" or "transformer.wpe";
                ModuleKind kind = tensor.Shape.Count switch
                {
                    2 => isTable ? ModuleKind.Embedding : ModuleKind.Linear,
                    4 => ModuleKind.Convolution,
                    _ => ModuleKind.Other,
                };
                modules.Add(new(name, kind, IsHead: name == "lm_head"));
            }
        }

        return modules;
    }

    private static string Type(string path)
    {
        using JsonDocument config = JsonDocument.Parse(File.ReadAllBytes(path));
        return config.RootElement.GetProperty("peft_type").GetString()!;
    }

    private static byte[] Bytes(string folder, string file) => File.ReadAllBytes(Path.Combine(folder, file));

    private static string Text(string folder) => File.ReadAllText(Path.Combine(folder, AdapterFolder.ConfigFile)).TrimEnd('\n');
}
