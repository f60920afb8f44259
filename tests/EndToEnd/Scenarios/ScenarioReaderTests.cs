using Federated.EndToEnd.Tests.Support;
using Federated.Simulations.Runs;
using Federated.Simulations.Scenarios;
using Federated.Tests.Support;

namespace Federated.EndToEnd.Tests.Scenarios;

[Collection(TinyWorldCollection.Name)]
public sealed class ScenarioReaderTests(TinyWorld world)
{
    private const int BadData = 65;

    [Fact]
    public void Read_AGoodFile_ResolvesPathsFromItsFolder()
    {
        Scenario scenario = ScenarioReader.Read(world.WriteScenario("good"));

        Assert.Equal(world.Model, scenario.Model);
        Assert.Equal(world.Corpus, scenario.Data.Corpus);
        Assert.Equal(["fedit", "lora_fair"], scenario.Methods.Keys);
        Assert.Equal(["score"], scenario.Adapter.ModulesToSave);
    }

    [Fact]
    public void Read_TheScenarioOfTheDemo_FindsNothingWrongWithItsValues()
    {
        string demo = Path.Combine(Repository.Root, "simulations", "scenarios", "mail.yaml");
        string copy = Write("demo", File.ReadAllText(demo)
            .Replace("../../models/small-en", "model", StringComparison.Ordinal)
            .Replace("../data/spamassassin.jsonl.br", "corpus.jsonl.br", StringComparison.Ordinal));

        Assert.Equal(["fedit", "lora_fair"], ScenarioReader.Read(copy).Methods.Keys);
    }

    [Fact]
    public void Read_NoFile_SaysWhereScenariosAre() => Refused(world["nowhere.yaml"], "nowhere.yaml: no such scenario", "simulations/scenarios");

    [Fact]
    public void Read_AnEmptyFile_SaysSo() => Refused(Write("empty", ""), "the file is empty");

    [Fact]
    public void Read_TooLargeAFile_IsNotRead() => Refused(Write("large", new string('#', (1 << 20) + 1)), "1048577 bytes", "at most 1048576");

    [Theory]
    [InlineData("rounds: 2", "rouns: 2", "rouns")]
    [InlineData("rounds: 2", "rounds: two", ":6:", "two")]
    [InlineData("rounds: 2", "rounds: [", ":")]
    [InlineData("rounds: 2", "rounds: 2\nrounds: 3", "rounds")]
    [InlineData("model: model", "", "model")]
    public void Read_WrongYaml_NamesThePlace(string right, string wrong, params string[] said)
    {
        string path = Write("yaml", Good().Replace(right, wrong, StringComparison.Ordinal));

        Refused(path, [path, .. said]);
    }

    [Theory]
    [InlineData("labels: [ham, spam]", "labels:", "labels has no value")]
    [InlineData("model: model", "model:", "model has no value")]
    [InlineData("name: fedit }", "name: }", "methods.fedit")]
    [InlineData("labels: [ham, spam]", "labels: [ham]", "labels: 1 given; 2 or more")]
    [InlineData("labels: [ham, spam]", "labels: [ham, ham]", "'ham' 2 times")]
    [InlineData("labels: [ham, spam]", "labels: ['a,b', c]", "'a,b'")]
    [InlineData("rounds: 2", "rounds: 0", "rounds is 0; 1 to 100000")]
    [InlineData("rounds: 2", "rounds: 2\nevaluate_every: 0", "evaluate_every is 0; 1 to 100000")]
    [InlineData("name: fedit }", "name: fedix }", "methods.fedit.name is 'fedix'; one of ")]
    [InlineData("name: fedit }", "name: lora-fair, lambda: -1 }", "lambda is '-1'")]
    [InlineData("{ fedit:", "{ seconds:", "methods.seconds: the summary has a key of this name")]
    [InlineData("{ fedit:", "{ lora-fair:", "lora-fair and lora_fair would be the same key")]
    [InlineData("{ fedit:", "{ ../fedit:", "methods.../fedit: ")]
    [InlineData("learning_rate: 0.01", "learning_rate: .nan", "training.learning_rate is NaN")]
    [InlineData("learning_rate: 0.01", "learning_rate: 0", "training.learning_rate is 0")]
    [InlineData("rank: 2", "rank: 0", "adapter.rank is 0")]
    [InlineData("[q_proj, v_proj]", "[]", "adapter.target_modules: 0 given")]
    [InlineData("holdout_share: 0.2", "holdout_share: 0.9", "training.holdout_share is 0.9")]
    [InlineData("holdout_share: 0.2", "schedule: square", "training.schedule is 'square'; one of constant, cosine, linear")]
    [InlineData("mailboxes: mailboxes.yaml", "mailboxes: none.yaml", "data.mailboxes: ")]
    [InlineData("mailboxes: mailboxes.yaml", "mailboxes: mailboxes.yaml, dirichlet: { clients: 0 }", "data: mailboxes and dirichlet", "data.dirichlet.clients is 0")]
    public void Read_AWrongValue_NamesPathValueAndRange(string right, string wrong, params string[] said) =>
        Refused(Write("value", Good().Replace(right, wrong, StringComparison.Ordinal)), said);

    [Fact]
    public void Read_SeveralFaults_ListsThemAll()
    {
        string text = Good()
            .Replace("model: model", "model: no-model", StringComparison.Ordinal)
            .Replace("corpus.jsonl.br", "no-corpus.br", StringComparison.Ordinal)
            .Replace("rounds: 2", "rounds: -1", StringComparison.Ordinal)
            .Replace("batch_size: 4", "batch_size: 0", StringComparison.Ordinal);

        Refused(Write("several", text), "4 fault(s)", "no-model", "config.json", "no-corpus.br", "rounds is -1", "training.batch_size is 0");
    }

    [Theory]
    [InlineData("model: model", "model: no-model")]
    [InlineData("corpus: corpus.jsonl.br", "corpus: no-corpus.br")]
    [InlineData("corpus: corpus.jsonl.br", "corpus: mailboxes.yaml")]
    public async Task Run_BadInput_EndsBeforeAnyProcessIsStarted(string right, string wrong)
    {
        string output = world[$"refused-{wrong.GetHashCode(StringComparison.Ordinal):x}"];

        Assert.Equal(BadData, await RunAsync(Write("refused", Good().Replace(right, wrong, StringComparison.Ordinal)), output));
        Assert.False(Directory.Exists(Path.Combine(output, "coordinator")));
    }

    [Fact]
    public async Task Run_OutputFolderOfSomebodyElse_IsRefusedAndLeftAlone()
    {
        using TemporaryFolder foreign = new();
        await File.WriteAllTextAsync(foreign["thesis.txt"], "five years of work");

        Assert.Equal(BadData, await RunAsync(world.WriteScenario("foreign"), foreign.Path));
        Assert.Equal(["thesis.txt"], Directory.EnumerateFileSystemEntries(foreign.Path).Select(path => Path.GetFileName(path)));
    }

    [Fact]
    public void Folder_OfAnEarlierSimulation_IsReplaced()
    {
        using TemporaryFolder folder = new();
        SimulationFolder first = SimulationFolder.Create(folder["out"]);
        File.WriteAllText(first.File("old.txt"), "old");

        SimulationFolder second = SimulationFolder.Create(folder["out"]);

        Assert.False(File.Exists(second.File("old.txt")));
    }

    private static Task<int> RunAsync(string scenario, string output) => RunCommand.Create().Parse([scenario, "--out", output]).InvokeAsync();

    private static void Refused(string path, params string[] said)
    {
        InvalidDataException refusal = Assert.Throws<InvalidDataException>(() => ScenarioReader.Read(path));
        foreach (string part in said)
            Assert.Contains(part, refusal.Message, StringComparison.Ordinal);
    }

    private string Good() => File.ReadAllText(world.WriteScenario("good"));

    private string Write(string name, string text)
    {
        string path = world[name + ".yaml"];
        File.WriteAllText(path, text);
        return path;
    }
}
