using Federated.Client.Adapters;
using Federated.Client.Agent;
using Federated.Client.Models;
using Federated.Client.Tokenizers;
using Federated.Client.Tokenizers.Bpe;
using Federated.Client.Tokenizers.Files;
using Federated.Client.Training.Tasks;
using Federated.Shared.Protocol;

namespace Federated.Client.Tests.Agent;

/// <summary>A folder with a tiny random Llama, its tokenizer, a global adapter and labelled texts that can be told apart.</summary>
internal sealed class TinyModel : IDisposable
{
    /// <summary>Stands in every text; must be found nowhere else.</summary>
    public const string Canary = "XyzzyCanary";

    private readonly TemporaryFolder _folder = new();

    public TinyModel()
    {
        string[] texts = [.. Enumerable.Range(0, 24).Select(i => $"{Canary} {(i % 2 == 0 ? "dear friend, see you at noon" : "win cash now, click this prize")} {i}")];
        Tokenizer tokenizer = BpeTrainer.Train(texts, new()
        {
            VocabularySize = 300,
            SpecialTokens = ["<pad>", "<end>"],
            Roles = new(Eos: "<end>", Pad: "<pad>"),
        });
        TokenizerFolder.Write(Model, tokenizer);
        using PretrainedModel model = PretrainedModel.Create(
            Models.TinyLlama.Config() with { VocabularySize = 300, EosTokenId = 1 }, seed: 5);
        model.Save(Model);
        Data = _folder.Write("mail.jsonl", string.Concat(texts.Select((text, i) => $$"""{"text":"{{text}}","label":"{{(i % 2 == 0 ? "ham" : "spam")}}"}""" + "\n")));
    }

    public string Model => Path.Combine(_folder.Path, "model");

    public string Data { get; }

    public string this[string name] => Path.Combine(_folder.Path, name);

    /// <summary>Writes a fresh global adapter for the plan.</summary>
    public string Global(RoundPlan plan)
    {
        ITrainingTask task = TrainingTasks.Of(plan.Training.Objective);
        using PretrainedModel model = PretrainedModel.Load(Model, new() { Task = task.Head, Labels = plan.Training.Labels is { Count: > 0 } labels ? labels : null });
        using AdaptedModel adapted = AdaptedModel.Attach(model, LocalRound.Config(plan.Adapter, task), seed: 3);
        adapted.Export().Save(this["global.safetensors"]);
        return this["global.safetensors"];
    }

    public string Write(string name, string text) => _folder.Write(name, text);

    public void Dispose() => _folder.Dispose();
}
