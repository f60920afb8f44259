using Federated.Client.Data;
using Federated.Client.Models;
using Federated.Client.Tokenizers.Bpe;
using Federated.Client.Training;
using Federated.Client.Training.Objectives;
using Federated.Client.Training.Tasks;

namespace Federated.Client.Tests.Training.Tasks;

public sealed class TaskChoiceTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("a.txt", "words", KnownObjectives.CausalLanguageModel, "plain text")]
    [InlineData("a.jsonl", """{"text":"a","label":"x"}""", KnownObjectives.Classification, "field 'label'")]
    [InlineData("a.jsonl", """{"text":"a"}""", KnownObjectives.CausalLanguageModel, "no field 'label'")]
    [InlineData("a.csv", "text,label\na,x\n", KnownObjectives.Classification, "field 'label'")]
    public void Of_DataOfEveryKind_FitsIt(string name, string content, string task, string reason)
    {
        TaskChoice choice = TaskChoice.Of(_folder.Write(name, content), ModelTask.CausalLanguageModel, "label");
        Assert.Equal(task, choice.Name);
        Assert.Contains(reason, choice.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Of_AClassifierWithoutLabels_IsRefused()
    {
        string path = _folder.Write("a.jsonl", """{"text":"a","class":"x"}""");
        Assert.Contains("--label-column", Assert.Throws<DataFormatException>(() => TaskChoice.Of(path, ModelTask.SequenceClassification, "label")).Message, StringComparison.Ordinal);
        Assert.Equal(KnownObjectives.Classification, TaskChoice.Of(path, ModelTask.SequenceClassification, "class").Name);
        Assert.Throws<DataFormatException>(() => TaskChoice.Of(_folder.Write("b.jsonl", "\n"), null, "label"));
    }

    [Fact]
    public void Find_NamedClasses_AreTheModels() => Assert.Equal(["neg", "pos"], Find(["neg", "pos"], "label,text\n1,a\n"));

    [Fact]
    public void Find_UnnamedClasses_AreTheDatasInOrder()
    {
        Assert.Equal(["2", "10"], Find(["LABEL_0", "LABEL_1"], "label,text\n10,a\n2,a\n10,b\n"));
        Assert.Equal(["10", "2", "b"], Find([], "label,text\n10,a\n2,a\nb,b\n"));
    }

    [Theory]
    [InlineData("label,text\na,x\na,y\n", "1 different labels")]
    [InlineData("label,text\na,x\n,y\n", "one of them empty")]
    public void Find_NoClasses_IsRefused(string csv, string problem) =>
        Assert.Contains(problem, Assert.Throws<DataFormatException>(() => Find([], csv)).Message, StringComparison.Ordinal);

    [Fact]
    public void Find_TextInTheLabelsColumn_StopsAtTheBound()
    {
        string csv = "label,text\n" + string.Concat(Enumerable.Range(0, LabelNames.Most + 1).Select(i => $"l{i},x\n"));
        DataFormatException error = Assert.Throws<DataFormatException>(() => Find([], csv));
        Assert.Equal(LabelNames.Most + 2, error.Line);
        Assert.Contains("--label-column", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Of_ValuesOfAField_AreGroupsWithAName()
    {
        GroupNames groups = new("language");
        Assert.Equal([0, 1, 0, 2], ((string?[])["de", "en", "de", null]).Select(language => groups.Of(Record(language))));
        Assert.Equal(["de", "en", "(none)"], groups.Names);
        Assert.Equal(0, new GroupNames(null).Of(Record("de")));
        Assert.Equal([""], new GroupNames(null).Names);
    }

    [Fact]
    public void Of_HostileValues_AreBounded()
    {
        GroupNames groups = new("language");
        foreach (int i in Enumerable.Range(0, GroupNames.Most))
            groups.Of(Record($"{i}"));
        groups.Of(Record("7"));
        Assert.Contains("more than 200", Assert.Throws<DataFormatException>(() => groups.Of(Record("new"))).Message, StringComparison.Ordinal);
        DataFormatException tooLong = Assert.Throws<DataFormatException>(() => new GroupNames("language").Of(Record(new string('x', 101))));
        Assert.DoesNotContain("xx", tooLong.Message, StringComparison.Ordinal);
        DataRecord nested = new("a.jsonl", 3, new Dictionary<string, DataValue> { ["language"] = new(DataKind.Sequence, "[1]") });
        Assert.Contains("an array", Assert.Throws<DataFormatException>(() => new GroupNames("language").Of(nested)).Message, StringComparison.Ordinal);
    }

    private static DataRecord Record(string? language) => new(
        "a.jsonl", 1, language is null ? new Dictionary<string, DataValue>() : new Dictionary<string, DataValue> { ["language"] = new(DataKind.Text, language) });

    private IReadOnlyList<string> Find(IReadOnlyList<string> model, string csv) => LabelNames.Find(
        model, new() { Path = _folder.Write("a.csv", csv), Tokenizer = BpeTrainer.Train([], new() { VocabularySize = 256 }), MaxTokens = 8 });
}
