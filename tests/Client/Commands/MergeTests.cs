using System.Text.Json;
using System.Text.Json.Nodes;
using Federated.Client.Adapters;
using Federated.Client.Commands;
using Federated.Client.Models;
using Federated.Client.Tests.Agent;
using Federated.Client.Tests.Fixtures;
using Federated.Client.Tests.Training;
using Federated.Shared.Peft;
using Federated.Shared.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace Federated.Client.Tests.Commands;

[Collection(nameof(NativeState))]
public sealed class MergeTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Output => Path.Combine(_folder.Path, "merged");

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("peft-lora-llama-qv")]
    [InlineData("peft-lora-gpt2-cattn")]
    [InlineData("peft-lora-roberta")]
    [InlineData("peft-ia3-llama")]
    public async Task Merge_AdapterOfTheOfficialCode_GivesItsMergedLogitsWithoutTheAdapter(string name)
    {
        using Golden golden = new(name);
        (int code, string output, string error) = await MergeAsync(golden.Base, golden.Folder, "--json");
        Assert.Equal((ExitCodes.Ok, ""), (code, error));
        MergeOutput merged = JsonSerializer.Deserialize(output, CommandJson.Default.MergeOutput)!;
        using PretrainedModel model = PretrainedModel.Load(Output);
        Assert.Equal((Output, "F32", model.ParameterCount), (merged.Model, merged.DType, merged.Parameters));

        using DisposeScope scope = NewDisposeScope();
        using IDisposable _ = no_grad();
        Near.Equal(golden.Floats("merged.logits"), model.Logits(golden.Batch().Tokens).Floats(), golden.Tolerance("merged_logits"), "merged.logits");
        Assert.Equal(Json(golden.Base).Select(entry => entry.Key).Append("torch_dtype").Order().Distinct(), Json(Output).Select(entry => entry.Key).Order());
    }

    [Fact]
    public async Task Merge_AsHalfPrecision_IsTheMergedModelRounded()
    {
        using Golden golden = new("peft-lora-llama-qv");
        await MergeAsync(golden.Base, golden.Folder, "--dtype", "f16");
        using PretrainedModel expected = PretrainedModel.Load(golden.Base), actual = PretrainedModel.Load(Output);
        using AdaptedModel adapted = AdaptedModel.Load(expected, golden.Folder);
        adapted.Merge();
        Assert.All(expected.Parameters.Zip(actual.Parameters), pair =>
            Assert.Equal(pair.First.Value.Floats().ToArray().Select(value => (float)(Half)value), pair.Second.Value.Floats().ToArray()));
        Assert.Equal("float16", Json(Output)["torch_dtype"]!.GetValue<string>());
        Assert.Equal(ExitCodes.Ok, (await CapturedConsole.RunAsync("merge", "--model", Output, "--adapter", golden.Folder, "--out", Output + "2", "--json")).Code);
        Assert.Equal("float16", Json(Output + "2")["torch_dtype"]!.GetValue<string>());
    }

    [Fact]
    public async Task Merge_FolderThatExists_IsRefusedAndLeftAlone()
    {
        using Golden golden = new("peft-lora-llama-qv");
        Directory.CreateDirectory(Output);
        (int code, _, string error) = await MergeAsync(golden.Base, golden.Folder);
        Assert.Equal(ExitCodes.BadConfiguration, code);
        Assert.Contains("does not exist yet", error, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(Output));
    }

    [Fact]
    public async Task Merge_AdapterThatIsNoWeights_SaysWhyAndWritesNothing()
    {
        using Golden golden = new("peft-prompt-llama");
        (int code, _, string error) = await MergeAsync(golden.Base, golden.Folder);
        Assert.Equal(ExitCodes.BadData, code);
        Assert.Contains("cannot be merged", error, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Path));
    }

    [Fact]
    public async Task Merge_ClassifierOnALanguageModel_TakesTheHeadOfTheAdapterAndTheTokenizer()
    {
        using TinyModel tiny = new();
        PeftConfig config = new LoraConfig { Rank = 2, Alpha = 4, TargetModules = ModuleSelector.OfNames(["q_proj"]), ModulesToSave = ["score"], TaskType = "SEQ_CLS" };
        float[] head;
        using (PretrainedModel model = PretrainedModel.Load(tiny.Model, new() { Task = ModelTask.SequenceClassification, Labels = ["ham", "spam"], HeadSeed = 3 }))
        {
            head = model.Parameters.Single(p => p.Name == "score.weight").Value.Floats().ToArray();
            using AdaptedModel adapted = AdaptedModel.Attach(model, config, 1);
            adapted.Save(tiny["adapter"]);
        }

        (int code, _, string error) = await MergeAsync(tiny.Model, tiny["adapter"]);
        Assert.Equal(ExitCodes.BadData, code);
        Assert.Contains("--labels", error, StringComparison.Ordinal);

        Assert.Equal(ExitCodes.Ok, (await MergeAsync(tiny.Model, tiny["adapter"], "--labels", "ham,spam")).Code);
        using PretrainedModel merged = PretrainedModel.Load(Output);
        Assert.Equal(["ham", "spam"], merged.Config.Labels);
        Assert.Equal(head, merged.Parameters.Single(p => p.Name == "score.weight").Value.Floats().ToArray());
        Assert.Equal(File.ReadAllBytes(Path.Combine(tiny.Model, "tokenizer.json")), File.ReadAllBytes(Path.Combine(Output, "tokenizer.json")));
    }

    [Fact]
    public void Save_NumberBeyondHalfPrecision_IsRefused()
    {
        using PretrainedModel model = PretrainedModel.Create(Models.TinyLlama.Config(), 1);
        model.Parameters[0].Value.Floats()[0] = -65520;
        Assert.Contains("beyond what F16 can", Assert.Throws<CheckpointException>(() => model.Save(Output, DType.F16)).Message, StringComparison.Ordinal);
        model.Parameters[0].Value.Floats()[0] = -65519;
        model.Save(Output, DType.F16);
    }

    private static JsonObject Json(string folder) => JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "config.json")))!.AsObject();

    private Task<(int Code, string Output, string Error)> MergeAsync(string model, string adapter, params string[] more) =>
        CapturedConsole.RunAsync(["merge", "--model", model, "--adapter", adapter, "--out", Output, "--threads", "1", .. more]);
}
