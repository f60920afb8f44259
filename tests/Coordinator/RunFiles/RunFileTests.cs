using Federated.Coordinator.Aggregation;
using Federated.Coordinator.RunFiles;
using Federated.Coordinator.Rounds;
using Federated.Coordinator.Tests.Support;
using Federated.Tests.Support;

namespace Federated.Coordinator.Tests.RunFiles;

public sealed class RunFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public RunFileTests() => TinyModel.Write(_folder["model"]);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void ReadAll_OnlyWhatIsNeeded_FillsInTheDefaults()
    {
        RunFile file = Assert.Single(Read(TinyModel.Yaml("model")));
        RunDefinition run = file.Definition;
        Assert.Equal(("mail", "fedit", 3, 3, 2, 3, 7ul, 0.0), (run.Run, run.Method, run.Cohort, run.Quorum, run.Rounds, run.Attempts, run.Seed, run.NormCap));
        Assert.Equal(TimeSpan.FromMinutes(10), run.Deadline);
        Assert.Equal(("cosine", 0, 0.0, 1.0, 0.1), (run.Training.Schedule, run.Training.WarmupSteps, run.Training.WeightDecay, run.Training.ClipNorm, run.Training.HoldoutShare));
        Assert.Equal(_folder["model"], file.ModelFolder);
        Assert.Null(run.After);
    }

    [Fact]
    public void ReadAll_EveryKey_IsRead()
    {
        RunDefinition run = Assert.Single(Read($$"""
            run: full          # a comment
            method: {name: lora-fair, lambda: 0.25}
            model: model
            sites:
              - "gamma"
              - alpha
              - 'beta'
            cohort: 2
            quorum: 1
            deadline: 90s
            rounds: 5
            attempts: 4
            seed: 12
            norm_cap: 2.5
            adapter: {rank: 4, alpha: 8, dropout: 0.1, target_modules: [q_proj], modules_to_save: [score]}
            training:
              objective: causal-lm
              steps: 10
              batch_size: 2
              max_tokens: 32
              learning_rate: 2e-4
              warmup_steps: 3
              schedule: linear
              weight_decay: 0.01
              clip_norm: 0.5
              holdout_share: 0.2
            """)).Definition;
        Assert.Equal(["alpha", "beta", "gamma"], run.Sites);
        Assert.Equal([("lambda", "0.25")], run.MethodOptions.Select(option => (option.Name, option.Value)));
        Assert.Equal((2, 1, 90_000L, 5, 4, 12ul, 2.5), (run.Cohort, run.Quorum, run.DeadlineMilliseconds, run.Rounds, run.Attempts, run.Seed, run.NormCap));
        Assert.Equal((4, 8.0, 0.1), (run.Adapter.Rank, run.Adapter.Alpha, run.Adapter.Dropout));
        Assert.Equal(("causal-lm", 10, 2, 32, 2e-4, 3, "linear"),
            (run.Training.Objective, run.Training.Steps, run.Training.BatchSize, run.Training.MaxTokens, run.Training.LearningRate, run.Training.WarmupSteps, run.Training.Schedule));
        Assert.Equal((0.01, 0.5, 0.2), (run.Training.WeightDecay, run.Training.ClipNorm, run.Training.HoldoutShare));
    }

    [Theory]
    [InlineData("run: mail", "run: Mail Box", "run (line 1) is 'Mail Box'")]
    [InlineData("sites: [alpha, beta, gamma]", "sites: [alpha, ../x, gamma]", "sites (line 4) holds '../x'")]
    [InlineData("sites: [alpha, beta, gamma]", "sites: [alpha, alpha, gamma]", "sites (line 4) holds 'alpha' 2 times")]
    [InlineData("sites: [alpha, beta, gamma]", "sites: []", "sites (line 4) is 0; 1 to 10000 sites are listed")]
    [InlineData("sites: [alpha, beta, gamma]", "sites: alpha", "sites (line 4) is 'alpha'; a list was expected")]
    [InlineData("rounds: 2", "rounds: 0", "rounds (line 5) is 0")]
    [InlineData("rounds: 2", "rounds: two", "rounds (line 5) is 'two'; a whole number was expected")]
    [InlineData("rounds: 2", "rounds: 99999999999", "rounds (line 5) is '99999999999'")]
    [InlineData("rounds: 2", "rounds: 2\ncohort: 4", "cohort (line 6) is 4; 1 to 3 sites")]
    [InlineData("rounds: 2", "rounds: 2\nquorum: 4", "quorum (line 6) is 4; 1 to 3 updates are needed")]
    [InlineData("rounds: 2", "rounds: 2\ndeadline: 10", "deadline (line 6) is '10'; a number with a unit")]
    [InlineData("rounds: 2", "rounds: 2\ndeadline: 10ms", "deadline (line 6) is 0.01; 1 to 2592000 seconds")]
    [InlineData("rounds: 2", "rounds: 2\nnorm_cap: -1", "norm_cap (line 6) is -1")]
    [InlineData("rounds: 2", "rounds: 2\nroundz: 3", "roundz (line 6) is no key here; known keys: adapter, after,")]
    [InlineData("seed: 7", "seed: -7", "seed (line 6) is -7; 0 or more")]
    [InlineData("model: model", "model: nowhere", "model (line 3): there is no config.json in")]
    [InlineData("{name: fedit}", "{name: fedsum}", "method.name is 'fedsum'; known rules: fedit, lora-fair")]
    [InlineData("{name: fedit}", "{name: lora-fair, lambda: -1}", "method.lambda is '-1'")]
    [InlineData("{name: fedit}", "{name: fedit, lambda: 1}", "method.lambda is no option of 'fedit'")]
    [InlineData("{name: fedit}", "fedit", "method (line 2) is 'fedit'; a mapping")]
    [InlineData("  rank: 2", "  rank: 0", "adapter.rank (line 9) is 0; 1 to 4096")]
    [InlineData("  alpha: 4", "  alpha: 0", "adapter.alpha (line 10) is 0; more than 0")]
    [InlineData("target_modules: [q_proj, v_proj]", "target_modules: []", "adapter.target_modules (line 11) is empty")]
    [InlineData("  steps: 3", "  steps: -3", "training.steps (line 16) is -3; 1 to 10000000")]
    [InlineData("  steps: 3", "", "training.steps is missing; a whole number is needed.")]
    [InlineData("learning_rate: 1e-3", "learning_rate: .nan", "training.learning_rate (line 19) is '.nan'; a finite number")]
    [InlineData("learning_rate: 1e-3", "learning_rate: 0", "training.learning_rate (line 19) is 0; more than 0")]
    [InlineData("labels: [ham, spam]", "labels: [ham]", "training.labels (line 15) has 1 entries; 'sequence-classification' needs 2")]
    [InlineData("objective: sequence-classification", "objective: guess", "training.objective (line 14) is 'guess'; one of sequence-classification, image-classification, causal-lm")]
    public void ReadAll_OneThingWrong_NamesPathLineValueAndTheWayOut(string before, string after, string expected)
    {
        string text = TinyModel.Yaml("model").ReplaceLineEndings("\n");
        Assert.Contains(before, text, StringComparison.Ordinal);
        RunFileException error = Assert.Throws<RunFileException>(() => Read(text.Replace(before, after, StringComparison.Ordinal)));
        Assert.Contains(error.Errors, e => e.Contains(expected, StringComparison.Ordinal));
        Assert.All(error.Errors, e => Assert.StartsWith(_folder["0.yaml"] + ": ", e, StringComparison.Ordinal));
    }

    [Fact]
    public void ReadAll_ManyThingsWrong_NamesThemAllAtOnce()
    {
        string text = TinyModel.Yaml("nowhere").Replace("rounds: 2", "rounds: 0", StringComparison.Ordinal)
            .Replace("steps: 3", "steps: -3", StringComparison.Ordinal).Replace("rank: 2", "rank: 0", StringComparison.Ordinal);
        RunFileException error = Assert.Throws<RunFileException>(() => Read(text, TinyModel.Yaml("model", run: "x y")));
        Assert.Equal(["model", "rounds", "adapter.rank", "training.steps", "run"],
            error.Errors.Select(e => e[(e.IndexOf(": ", StringComparison.Ordinal) + 2)..].Split(' ', ':')[0]));
    }

    [Theory]
    [InlineData("run: [a", "line 2, column")]
    [InlineData("run: mail\n\tmodel: x", "line 1, column")]
    [InlineData("a: 1\na: 2", "line 2, column 1: the key 'a' stands twice")]
    [InlineData("a: !!int 1", "line 1, column 4: tags")]
    [InlineData("a: !System.Object 1", "tags")]
    [InlineData("a: &x 1\nb: *x", "line 1, column 4: anchors")]
    [InlineData("a: 1\n---\nb: 1", "a second document")]
    [InlineData("", "the file is empty")]
    [InlineData("- a", "a mapping of keys and values was expected")]
    [InlineData("[a]: 1", "a key must be a plain word")]
    public void ReadAll_MalformedYaml_NamesThePlace(string text, string expected)
    {
        string error = Assert.Single(Assert.Throws<RunFileException>(() => Read(text)).Errors);
        Assert.Contains(expected, error, StringComparison.Ordinal);
    }

    [Fact]
    public void ReadAll_NestedWithoutEnd_IsRefused() =>
        Assert.Contains("nested deeper", Assert.Throws<RunFileException>(() => Read("a: " + new string('[', 20_000))).Message, StringComparison.Ordinal);

    [Fact]
    public void ReadAll_HugeFile_IsRefusedUnread() =>
        Assert.Contains("at most 65536", Assert.Throws<RunFileException>(() => Read(new string('#', 100_000))).Message, StringComparison.Ordinal);

    [Fact]
    public void ReadAll_NoFile_SaysSo() =>
        Assert.Contains("cannot be read", Assert.Throws<RunFileException>(() => RunFile.ReadAll([_folder["none.yaml"]], AggregationRules.Default)).Message, StringComparison.Ordinal);

    [Fact]
    public void ReadAll_NoText_IsRefused()
    {
        File.WriteAllBytes(_folder["0.yaml"], [0xff, 0xfe, 0xfd, 0x80]);
        Assert.Contains("UTF-8", Assert.Throws<RunFileException>(() => RunFile.ReadAll([_folder["0.yaml"]], AggregationRules.Default)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a", "", "a", "", "'a' is described by 2 files")]
    [InlineData("a", "after: c", "b", "", "'a' comes after 'c', which is not given")]
    [InlineData("a", "after: b", "b", "after: a", "waits for itself")]
    [InlineData("a", "after: a", "b", "", "waits for itself")]
    public void ReadAll_RunsThatDoNotFitTogether_AreRefused(string first, string firstExtra, string second, string secondExtra, string expected) =>
        Assert.Contains(expected, Assert.Throws<RunFileException>(() =>
            Read(TinyModel.Yaml("model", run: first, extra: firstExtra), TinyModel.Yaml("model", run: second, extra: secondExtra))).Message, StringComparison.Ordinal);

    private IReadOnlyList<RunFile> Read(params string[] texts)
    {
        string[] paths = [.. texts.Select((text, i) =>
        {
            File.WriteAllText(_folder[$"{i}.yaml"], text);
            return _folder[$"{i}.yaml"];
        })];
        return RunFile.ReadAll(paths, AggregationRules.Default);
    }
}
