using System.Text.Json;
using Federated.Client.Models;
using Federated.Client.Tokenizers;
using Federated.Client.Tokenizers.Bpe;
using Federated.Client.Tokenizers.Files;
using Federated.Shared.Randomness;
using Federated.Simulations.Data;
using Federated.Simulations.Scenarios;
using Federated.Tests.Support;

namespace Federated.EndToEnd.Tests.Support;

/// <summary>A model, a corpus and three mailboxes, so small that a whole simulation takes seconds.</summary>
public sealed class TinyWorld : IDisposable
{
    public static readonly string[] MailboxNames = ["left", "middle", "right"];

    private const string EndOfText = "<|endoftext|>", Padding = "<|pad|>";
    private static readonly string[] HamWords = ["meeting", "kernel", "patch", "lunch", "thanks", "agenda", "build", "review", "tomorrow", "minutes"];
    private static readonly string[] SpamWords = ["winner", "free", "credit", "offer", "click", "cash", "deal", "prize", "limited", "guarantee"];

    private readonly TemporaryFolder _folder = new();

    public TinyWorld()
    {
        Records = [.. Mails(MailSplits.Train, 24), .. Mails(MailSplits.Test, 8), .. Mails(MailSplits.Pretrain, 60)];
        File.WriteAllBytes(Corpus, MailCorpus.Encode(Records));
        File.WriteAllText(_folder["mailboxes.yaml"], "mailboxes:\n" + string.Concat(MailboxNames.Select(name =>
            $"  - name: {name}\n    shares: {{ easy-ham-1: 0.33, spam-1: 0.33 }}\n")));
        File.WriteAllLines(Speeches, Enumerable.Range(0, 20).Select(i => JsonSerializer.Serialize(
            new SotuAddress(1900 + i, "President", "Party", "Era", i % 5 == 0, Text(HamWords, 60, (ulong)i)))));
        WriteModel();
    }

    public IReadOnlyList<MailRecord> Records { get; }

    public string Model => _folder["model"];

    public string Corpus => _folder["corpus.jsonl.br"];

    public string Speeches => _folder["sotu.jsonl"];

    /// <summary>A path of its own for a test.</summary>
    public string this[string name] => _folder[name];

    /// <summary>Writes a scenario file and returns its path.</summary>
    public string WriteScenario(string name, int rounds = 2, bool baselines = true, string methods = "{ fedit: { name: fedit }, lora_fair: { name: lora-fair } }")
    {
        string path = _folder[name + ".yaml"];
        File.WriteAllText(path,
            $$"""
            name: {{name}}
            seed: 7
            model: model
            data: { corpus: corpus.jsonl.br, mailboxes: mailboxes.yaml }
            labels: [ham, spam]
            rounds: {{rounds}}
            baselines: {{(baselines ? "true" : "false")}}
            methods: {{methods}}
            adapter: { rank: 2, alpha: 4, target_modules: [q_proj, v_proj] }
            training: { steps: 2, batch_size: 4, max_tokens: 32, learning_rate: 0.01, warmup_steps: 1, holdout_share: 0.2 }

            """);
        return path;
    }

    public Scenario ReadScenario(string name, int rounds = 2, string methods = "{ lora_fair: { name: lora-fair } }") =>
        ScenarioReader.Read(WriteScenario(name, rounds, baselines: false, methods));

    public void Dispose() => _folder.Dispose();

    private static IEnumerable<MailRecord> Mails(string split, int ofEach)
    {
        foreach ((string folder, string[] words) in new[] { ("easy-ham-1", HamWords), ("spam-1", SpamWords) })
        {
            for (int i = 0; i < ofEach; i++)
                yield return new($"{folder}/{split}-{i}", folder, MailFolders.LabelOf(folder), split, Text(words, 12, (ulong)((split.Length * 1000) + i)));
        }
    }

    private static string Text(string[] words, int count, ulong seed)
    {
        SplitMix64 random = new(seed);
        return string.Join(' ', Enumerable.Range(0, count).Select(_ => words[random.NextInt32(words.Length)]));
    }

    private void WriteModel()
    {
        Tokenizer tokenizer = BpeTrainer.Train(Records.Select(mail => mail.Text), new()
        {
            VocabularySize = 300,
            SpecialTokens = [EndOfText, Padding],
            Roles = new SpecialTokens(Bos: EndOfText, Eos: EndOfText, Pad: Padding),
        });
        using PretrainedModel model = PretrainedModel.Create(
            new LlamaConfig
            {
                Task = ModelTask.CausalLanguageModel,
                VocabularySize = tokenizer.VocabularySize,
                HiddenSize = 32,
                MaxPositions = 64,
                PadTokenId = tokenizer.Special.Pad,
                BosTokenId = tokenizer.Special.Bos,
                EosTokenId = tokenizer.Special.Eos,
                Layers = 2,
                Heads = 4,
                KeyValueHeads = 2,
                HeadSize = 8,
                IntermediateSize = 64,
                TieWordEmbeddings = true,
            },
            seed: 3);
        model.Save(Model);
        TokenizerFolder.Write(Model, tokenizer);
    }
}

/// <summary>Tests with real processes share one world and take turns: the machine's cores are few.</summary>
[CollectionDefinition(Name)]
public sealed class TinyWorldCollection : ICollectionFixture<TinyWorld>
{
    public const string Name = "tiny world";
}
