using System.Text.Json;
using Federated.Client.ChatTemplates;
using Federated.Client.Data;
using Federated.Client.Tokenizers;
using Federated.Client.Tokenizers.Bpe;
using Federated.Client.Training;
using Federated.Client.Training.Tasks;

namespace Federated.Client.Tests.Training.Tasks;

/// <summary>Of instructions and conversations only the answers are learned, the end of each included.</summary>
public sealed class InstructionTaskTests : IDisposable
{
    // Every byte is a token, so that a row can be read back letter by letter.
    private static readonly Tokenizer Bytes = BpeTrainer.Train([], new() { VocabularySize = 258, SpecialTokens = ["<end>", "<turn>"], Roles = SpecialTokens.None with { Eos = "<end>" } });
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Completion_IsLearnedWithItsEnd_ThePromptIsNot()
    {
        (string text, string learned) = Row("""{"prompt": "2+2=", "completion": "4"}""");
        Assert.Equal(("2+2=4<end>", "4<end>"), (text, learned));
    }

    [Fact]
    public void LongRow_LosesItsBeginning()
    {
        (string text, string learned) = Row("""{"prompt": "a long question ", "completion": "yes"}""", maxTokens: 8);
        Assert.Equal(("ion yes<end>", "yes<end>"), (text, learned));
    }

    [Theory]
    [InlineData("{% for m in messages %}{{ m.role[0] }}:{{ m.content }}<turn>{% endfor %}{% if add_generation_prompt %}a:{% endif %}")]
    [InlineData("{% for m in messages %}{{ m.role[0] }}:{% if m.role == 'assistant' %}{% generation %}{{ m.content }}<turn>{% endgeneration %}{% else %}{{ m.content }}<turn>{% endif %}{% endfor %}")]
    public void Conversation_EveryAnswerIsLearnedWithItsEnd(string template)
    {
        (string text, string learned) = Row(Talk("system:S", "user:Q1", "assistant:A1", "user:Q2", "assistant:A2"), template);
        Assert.Equal("s:S<turn>u:Q1<turn>a:A1<turn>u:Q2<turn>a:A2<turn>", text);
        Assert.Equal("A1<turn>A2<turn>", learned);
    }

    [Fact]
    public void TemplateThatWritesLaterTurnsElsewhere_IsRefusedByName()
    {
        DataFormatException error = Assert.Throws<DataFormatException>(() => Row(Talk("user:Q", "assistant:A"), "{{ messages|length }}{% for m in messages %}{{ m.content }}{% endfor %}"));
        Assert.Contains("{% generation %}", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Refusal_OfTheTemplate_DoesNotQuoteTheConversation()
    {
        DataFormatException error = Assert.Throws<DataFormatException>(() => Row(Talk("user:secret", "assistant:A"), "{{ raise_exception('no ' + messages[0].content) }}"));
        Assert.DoesNotContain("secret", error.Message, StringComparison.Ordinal);
        Assert.Contains("take turns", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"messages": [{"role": "user", "content": "Q"}]}""", "nothing to learn")]
    [InlineData("""{"messages": [{"content": "Q"}]}""", "'role'")]
    [InlineData("""{"messages": "Q"}""", "wanted an array")]
    [InlineData("""{"prompt": "Q"}""", "'completion' is missing")]
    [InlineData("""{"prompt": "Q", "completion": 4}""", "wanted a string")]
    public void Record_Unusable_IsNamedWithItsLine(string line, string message)
    {
        DataFormatException error = Assert.Throws<DataFormatException>(() => Row(line, ChatTemplate.ChatMl));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.Equal(1, error.Line);
    }

    [Fact]
    public void Conversation_WithoutATemplate_SaysTheWayOut() =>
        Assert.Contains("--chat-template", Assert.Throws<DataFormatException>(() => Row(Talk("user:Q", "assistant:A"))).Message, StringComparison.Ordinal);

    [Fact]
    public void TaskChoice_FindsItByTheFields()
    {
        Assert.Equal("instruction", TaskChoice.Of(_folder.Write("a.jsonl", Talk("user:Q", "assistant:A")), null, "label").Name);
        Assert.Equal("instruction", TaskChoice.Of(_folder.Write("b.jsonl", """{"prompt": "Q", "completion": "A"}"""), null, "label").Name);
    }

    private static string Talk(params string[] turns) =>
        JsonSerializer.Serialize(new { messages = turns.Select(turn => turn.Split(':')).Select(turn => new { role = turn[0], content = turn[1] }) });

    private (string Text, string Learned) Row(string line, string? template = null, int maxTokens = 200)
    {
        TaskSource source = new()
        {
            Path = _folder.Write("data.jsonl", line),
            Tokenizer = Bytes,
            MaxTokens = maxTokens,
            ChatTemplate = template is null ? null : ChatTemplate.Parse("t", template),
        };
        TrainingBatch batch = new InstructionTask().Read(source, CancellationToken.None).All().Single();
        int[] ids = [.. batch.Tokens.Ids.ToArray().Select(id => (int)id)];
        return (Bytes.Decode(ids), Bytes.Decode([.. ids.Where((_, i) => batch.TokenLabels![i] != TrainingBatch.Ignored)]));
    }
}
