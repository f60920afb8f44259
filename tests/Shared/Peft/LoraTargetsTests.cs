using Federated.Shared.Peft;

namespace Federated.Shared.Tests.Peft;

/// <summary>The official rules for choosing modules, each by a name that separates it from its neighbours.</summary>
public sealed class LoraTargetsTests
{
    [Theory]
    [InlineData("q_proj", true)]
    [InlineData("model.layers.0.self_attn.q_proj", true)]
    [InlineData("model.layers.0.self_attn.sq_proj", false)] // no dot before it
    [InlineData("model.layers.0.q_proj.inner", false)] // not its end
    [InlineData("model.q_projection", false)]
    public void IsTarget_ListOfNames_MatchesTheEndAfterADot(string module, bool expected) =>
        Assert.Equal(expected, PeftTargets.IsTarget(Config("q_proj"), Linear(module)));

    [Theory]
    [InlineData("model.layers.0.q_proj", true)]
    [InlineData("model.layers.0.q_proj.x", false)] // the whole name must match
    [InlineData("model.layers.1.q_proj", false)]
    public void IsTarget_RegularExpression_MatchesTheWholeName(string module, bool expected) =>
        Assert.Equal(expected, PeftTargets.IsTarget(new LoraConfig { TargetModules = ModuleSelector.OfPattern(@".*\.0\.q_proj|k") }, Linear(module)));

    [Theory]
    [InlineData("model.layers.1.mlp.up", true)]
    [InlineData("model.layers.2.mlp.up", false)]
    [InlineData("model.layers.1.experts.2.up", false)] // the innermost number counts
    [InlineData("model.layers.2.experts.1.up", true)]
    [InlineData("layers.1.up", false)] // the official expression wants something before the list
    [InlineData("model.up", false)] // no number at all
    public void IsTarget_LayersToTransform_TakesTheNumberInTheName(string module, bool expected) =>
        Assert.Equal(expected, PeftTargets.IsTarget(Config("up") with { LayersToTransform = [1] }, Linear(module)));

    [Theory]
    [InlineData("model.layers.1.experts.2.up", true)]
    [InlineData("model.blocks.1.up", false)]
    public void IsTarget_LayersPattern_SaysWhichNumber(string module, bool expected) =>
        Assert.Equal(expected, PeftTargets.IsTarget(Config("up") with { LayersToTransform = [1], LayersPattern = ["layers"] }, Linear(module)));

    [Fact]
    public void IsTarget_ExactNameInTheList_IgnoresTheLayers() =>
        Assert.True(PeftTargets.IsTarget(Config("model.layers.2.up") with { LayersToTransform = [1] }, Linear("model.layers.2.up")));

    [Fact]
    public void IsTarget_Excluded_IsNot()
    {
        LoraConfig config = Config("up") with { ExcludeModules = ModuleSelector.OfNames("0.up") };
        Assert.False(PeftTargets.IsTarget(config, Linear("model.layers.0.up")));
        Assert.True(PeftTargets.IsTarget(config, Linear("model.layers.10.up")));
    }

    [Fact]
    public void IsTarget_AllLinear_LeavesOutHeadSavedModulesAndOtherKinds()
    {
        LoraConfig config = new() { TargetModules = ModuleSelector.AllLinear, ModulesToSave = ["score", "classifier"] };
        Assert.True(PeftTargets.IsTarget(config, Linear("a.up")));
        Assert.False(PeftTargets.IsTarget(config, new("lm_head", ModuleKind.Linear, IsHead: true)));
        Assert.False(PeftTargets.IsTarget(config, Linear("score")));
        Assert.False(PeftTargets.IsTarget(config, Linear("classifier.dense")));
        Assert.False(PeftTargets.IsTarget(config, new("wte", ModuleKind.Embedding)));
    }

    [Fact]
    public void Resolve_NothingSelected_SaysWhatThereIs()
    {
        PeftFormatException error = Assert.Throws<PeftFormatException>(() => LoraTargets.Resolve(Config("query"), [Linear("a.q_proj"), Linear("b.q_proj"), Linear("b.up")]));
        Assert.Contains("query", error.Message, StringComparison.Ordinal);
        Assert.Contains("q_proj, up", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Resolve_ModuleWithoutFactorsOrSavedWholeToo_IsRefused()
    {
        Assert.Contains("neither linear", Assert.Throws<PeftFormatException>(() => LoraTargets.Resolve(Config("norm"), [new("a.norm", ModuleKind.Other)])).Message, StringComparison.Ordinal);
        Assert.Contains("modules_to_save", Assert.Throws<PeftFormatException>(() => LoraTargets.Resolve(Config("score") with { ModulesToSave = ["score"] }, [Linear("score")])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void IsTarget_ExpressionThatWouldBacktrackForever_EndsAtOnce() =>
        Assert.False(PeftTargets.IsTarget(new LoraConfig { TargetModules = ModuleSelector.OfPattern("(a+)+b") }, Linear(new string('a', 5000))));

    [Theory]
    [InlineData("model.layers.0.q_proj.lora_A.weight")]
    [InlineData("base_model.model.")]
    [InlineData("base_model.model.x")]
    [InlineData("base_model.model..lora_A.weight.")]
    [InlineData("base_model.model.q.lora_A.default.weight")]
    [InlineData("base_model.model.lora_A.weight.")]
    [InlineData("")]
    public void Parse_NoAdapterName_IsRefused(string name)
    {
        Assert.False(PeftNames.TryParse(name, out _));
        Assert.Throws<PeftFormatException>(() => PeftNames.Parse(name));
    }

    private static LoraConfig Config(string name) => new() { TargetModules = ModuleSelector.OfNames(name) };

    private static ModuleSite Linear(string name) => new(name, ModuleKind.Linear);
}
