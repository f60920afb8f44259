using System.Text;
using Federated.Shared.Peft;

namespace Federated.Shared.Tests.Peft;

public sealed class LoraConfigTests
{
    private const string Smallest = """{"peft_type": "LORA", "target_modules": ["q_proj"]}""";

    [Fact]
    public void Parse_OnlyWhatMustBeThere_TakesTheOfficialDefaults()
    {
        LoraConfig config = Parse(Smallest);
        Assert.Equal((8, 8.0, 0.0, LoraBias.None), (config.Rank, config.Alpha, config.Dropout, config.Bias));
        Assert.Equal((false, false, false, false), (config.UseRsLora, config.UseDora, config.FanInFanOut, config.InferenceMode));
        Assert.Equal(LoraConfig.DefaultInit, config.InitLoraWeights);
        Assert.Null(config.ModulesToSave);
        Assert.Null(config.LayersToTransform);
    }

    [Theory]
    [InlineData(4, 8, false, 2.0)]
    [InlineData(4, 8, true, 4.0)] // 8 / sqrt(4)
    [InlineData(16, 16, true, 4.0)]
    [InlineData(3, 1, false, 1.0 / 3.0)]
    public void ScalingOf_RankAndAlpha_FollowsTheRule(int rank, double alpha, bool stabilised, double expected)
    {
        LoraConfig config = Parse(Smallest) with { Rank = rank, Alpha = alpha, UseRsLora = stabilised };
        Assert.Equal(expected, config.ScalingOf("model.q_proj"));
    }

    [Theory]
    [InlineData("model.layers.0.self_attn.v_proj", 2, 3.0)]
    [InlineData("v_proj", 2, 3.0)]
    [InlineData("model.layers.0.self_attn.xv_proj", 4, 8.0)] // the end counts only after a dot
    [InlineData("model.layers.0.self_attn.q_proj", 4, 16.0)]
    [InlineData("model.layers.1.self_attn.q_proj", 4, 8.0)]
    [InlineData("model.layers.1.mlp.up_proj", 6, 8.0)]
    [InlineData("model.layers.12.mlp.down_proj", 5, 8.0)] // layers\.1.\.mlp: a regular expression
    public void RankOfAndAlphaOf_Patterns_TakeTheFirstThatMatchesTheEnd(string module, int rank, double alpha)
    {
        LoraConfig config = Parse("""
            {"peft_type": "LORA", "target_modules": "all-linear", "r": 4, "lora_alpha": 8,
             "rank_pattern": {"model.layers.1.mlp.up_proj": 6, "v_proj": 2, "layers\\.1.\\.mlp\\.(up|down)_proj": 5, ".*self_attn.v_proj": 99},
             "alpha_pattern": {"model.layers.0.self_attn.q_proj": 16, "v_proj": 3}}
            """);
        Assert.Equal((rank, alpha), (config.RankOf(module), config.AlphaOf(module)));
    }

    [Theory]
    [InlineData("""{"r": 0}""", "r is 0")]
    [InlineData("""{"r": 2.5}""", "r is 2.5")]
    [InlineData("""{"r": "4"}""", "r is \"4\"")]
    [InlineData("""{"lora_dropout": 1}""", "lora_dropout is 1")]
    [InlineData("""{"lora_alpha": 1e999}""", "lora_alpha is 1e999")]
    [InlineData("""{"bias": "some"}""", "bias is \"some\"")]
    [InlineData("""{"target_modules": []}""", "target_modules is []")]
    [InlineData("""{"target_modules": null}""", "target_modules is missing")]
    [InlineData("""{"target_modules": "(q"}""", "no regular expression")]
    [InlineData("""{"target_modules": "a)|(b"}""", "no regular expression")]
    [InlineData("""{"rank_pattern": {"q_proj": 0}}""", "rank_pattern.q_proj is 0")]
    [InlineData("""{"rank_pattern": {"(": 2}}""", "no regular expression")]
    [InlineData("""{"layers_to_transform": [-1]}""", "layers_to_transform is [-1]")]
    [InlineData("""{"init_lora_weights": "loftq"}""", "init_lora_weights is \"loftq\"")]
    [InlineData("""{"layer_replication": [[0, 4]]}""", "layer_replication is [[0, 4]]: not supported")]
    [InlineData("""{"megatron_config": {"a": 1}}""", "megatron_config")]
    [InlineData("""{"loftq_config": {"loftq_bits": 4}}""", "loftq_config")]
    [InlineData("""{"lora_bias": true}""", "lora_bias is true: not supported")]
    [InlineData("""{"surprise": 3}""", "surprise is 3: not supported")]
    public void Parse_WrongOrUnsupportedField_NamesFieldAndValue(string fields, string expected)
    {
        PeftFormatException error = Assert.Throws<PeftFormatException>(() => Parse(Merge(fields)));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.StartsWith("here: ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Parse_SeveralFaults_ListsThemAll()
    {
        PeftFormatException error = Assert.Throws<PeftFormatException>(() => Parse(Merge("""{"r": -1, "bias": "x", "use_dora": 1, "surprise": 3}""")));
        Assert.All((string[])["4 faults", "r is -1", "bias is \"x\"", "use_dora is 1", "surprise is 3"],
            part => Assert.Contains(part, error.Message, StringComparison.Ordinal));
    }

    [Fact]
    public void Parse_FaultsWithoutEnd_ListsTheFirstAndEscapesWhatTheyQuote()
    {
        string fields = string.Join(',', Enumerable.Range(0, 5000).Select(i => $"\"\\u001b[31m{i}{new string('x', 1000)}\": 3"));
        PeftFormatException error = Assert.Throws<PeftFormatException>(() => PeftConfig.Parse(Encoding.UTF8.GetBytes(Merge($"{{{fields[..1_000_000]}\": 3}}")), "here"));
        Assert.DoesNotContain(error.Message, c => char.IsControl(c) && c != '\n');
        Assert.Contains("\\u001b[31m0xxx", error.Message, StringComparison.Ordinal);
        Assert.EndsWith(" more", error.Message, StringComparison.Ordinal);
        Assert.InRange(error.Message.Length, 1000, 40 * 600);
    }

    [Theory]
    [InlineData("rank_pattern", 10_001, "layer{0}.q", "rank_pattern has 10001 entries; at most 10000")]
    [InlineData("alpha_pattern", 101, "layer[{0}].q", "more than 100 regular expressions")]
    public void Parse_MorePatternsThanAnyAdapterHas_IsRefused(string field, int count, string pattern, string expected)
    {
        string entries = string.Join(',', Enumerable.Range(0, count).Select(i => $"\"{string.Format(null, pattern, i)}\": 2"));
        PeftFormatException error = Assert.Throws<PeftFormatException>(() => Parse(Merge($"{{\"{field}\": {{{entries}}}}}")));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void RankOf_ManyPlainPatterns_CompilesNone()
    {
        LoraConfig config = new() { TargetModules = ModuleSelector.AllLinear, RankPattern = [.. Enumerable.Range(0, 1000).Select(i => new KeyValuePair<string, int>($"layers.{i}.q_proj", i + 1))] };
        _ = config.RankOf("model.layers.999.q_proj");
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Equal(1000, config.RankOf("model.layers.999.q_proj"));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1000);
    }

    [Theory]
    [InlineData("q_proj", "a.q_proj", true)]
    [InlineData("q_proj", "q_proj", true)]
    [InlineData("q_proj", "a.xq_proj", false)]
    [InlineData("q_proj", "proj", false)]
    [InlineData("0.q_proj", "layers.0.q_proj", true)]
    [InlineData("0.q_proj", "layers.0_q_proj", true)]
    [InlineData("0.q_proj", "layers.10.q_proj", false)]
    [InlineData("[0].q_proj", "layers.0.q_proj", true)]
    [InlineData("[0].q_proj", "layers.10.q_proj", false)]
    public void RankOf_Pattern_MatchesTheEndOfANameAfterAPoint(string pattern, string module, bool matches) =>
        Assert.Equal(matches ? 3 : 8, new LoraConfig { TargetModules = ModuleSelector.AllLinear, RankPattern = [new(pattern, 3)] }.RankOf(module));

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("""{"peft_type": "LORA", "r": 4, "r": 5, "target_modules": ["q"]}""")]
    [InlineData("""{"peft_type": "LORA", "target_modules": ["q"]} x""")]
    [InlineData("""{"peft_type": "LORA", "target_modules": ["\ud800"]}""")]
    [InlineData("""{"target_modules": ["q"]}""")]
    public void Parse_NoConfigurationAtAll_IsRefused(string json) =>
        Assert.Throws<PeftFormatException>(() => Parse(json));

    [Fact]
    public void Parse_DeepOrLongInput_IsRefused()
    {
        Assert.Throws<PeftFormatException>(() => Parse(string.Concat(Enumerable.Repeat("[", 10_000))));
        Assert.Throws<PeftFormatException>(() => PeftConfig.Parse(new byte[(1 << 20) + 1], "here"));
    }

    [Fact]
    public void ToJson_UnknownButEmptyFields_AreKept()
    {
        LoraConfig config = Parse(Merge("""{"corda_config": null, "use_qalora": false, "peft_version": "0.17.0", "qalora_group_size": 16, "layers_to_transform": 3}"""));
        string json = Encoding.UTF8.GetString(config.ToJson());
        Assert.All(
            (string[])["\"corda_config\": null", "\"use_qalora\": false", "\"peft_version\": \"0.17.0\"", "\"qalora_group_size\": 16"],
            part => Assert.Contains(part, json, StringComparison.Ordinal));
        Assert.Equal([3], Parse(json).LayersToTransform);
    }

    [Fact]
    public void ToJson_EverySetting_ComesBack()
    {
        LoraConfig config = new()
        {
            Rank = 3, Alpha = 1.5, Dropout = 0.05, TargetModules = ModuleSelector.OfPattern(@".*\.(q|v)_proj"), ExcludeModules = ModuleSelector.OfNames("layers.0.q_proj"),
            RankPattern = [new("b", 2), new("a", 7)], AlphaPattern = [new("z", 0.5)], Bias = LoraBias.LoraOnly, ModulesToSave = ["score"], LayersToTransform = [0, 2],
            LayersPattern = ["blocks"], UseRsLora = true, UseDora = true, FanInFanOut = true, TaskType = "SEQ_CLS", BaseModelNameOrPath = "base \"é\"", InitLoraWeights = "pissa_niter_4", InferenceMode = false,
        };
        byte[] json = config.ToJson();
        LoraConfig back = (LoraConfig)PeftConfig.Parse(json, "here");
        Assert.Equal(json, back.ToJson());
        Assert.Equal((3, 1.5, 0.05, @".*\.(q|v)_proj"), (back.Rank, back.Alpha, back.Dropout, back.TargetModules.Pattern));
        Assert.Equal(["layers.0.q_proj"], back.ExcludeModules!.Names);
        Assert.Equal([new("b", 2), new("a", 7)], back.RankPattern);
        Assert.Equal((LoraBias.LoraOnly, true, true, true, false), (back.Bias, back.UseRsLora, back.UseDora, back.FanInFanOut, back.InferenceMode));
        Assert.Equal(("SEQ_CLS", "base \"é\"", "pissa_niter_4"), (back.TaskType, back.BaseModelNameOrPath, back.InitLoraWeights));
        Assert.Equal(["blocks"], back.LayersPattern);
    }

    private static LoraConfig Parse(string json) => (LoraConfig)PeftConfig.Parse(Encoding.UTF8.GetBytes(json), "here");

    private static string Merge(string fields)
    {
        bool hasTargets = fields.Contains("target_modules", StringComparison.Ordinal);
        return $"{{\"peft_type\": \"LORA\", {(hasTargets ? "" : "\"target_modules\": [\"q_proj\"], ")}{fields[1..]}";
    }
}
