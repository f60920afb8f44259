using Federated.Client.Models;
using Federated.Client.Tokenizers.Files;
using Federated.Shared.Peft;
using Federated.Shared.Randomness;
using Federated.Shared.Tensors;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Federated.Client.Adapters;

/// <summary>Prompt tuning and p-tuning: trained vectors that a model reads before each text.</summary>
/// <remarks>
/// Sources: Lester et al. 2021, arXiv:2104.08691; Liu et al. 2021, arXiv:2103.10385 (p-tuning), whose network is there only while a new
/// adapter trains. As in Hugging Face PEFT what is stored are the vectors that came out of it; an adapter that was read trains those.
/// </remarks>
internal static class PromptMethod
{
    internal static AdapterParts Parts(PretrainedModel model, PromptTuningConfig config, NamedTensors? stored)
    {
        TokenEmbedding table = Table(model, config);
        Action<Parameter, SplitMix64> start = stored is null ? StartOf(config, table) : (_, _) => { };
        return Parts(model, config, table, PromptRows.Trained(config.VirtualTokens, table.Weight.shape[1], start));
    }

    internal static AdapterParts Parts(PretrainedModel model, PTuningConfig config, NamedTensors? stored)
    {
        TokenEmbedding table = Table(model, config);
        long width = table.Weight.shape[1], inner = config.EncoderHiddenSize ?? width;
        if (stored is not null)
            return Parts(model, config, table, PromptRows.Trained(config.VirtualTokens, width, (_, _) => { }));
        if (config.Encoder == PromptEncoderKind.Lstm)
            throw new PeftFormatException("encoder_reparameterization_type: an LSTM cannot be trained here, only what it left can be read; take MLP.");
        return Parts(model, config, table, PromptRows.Encoded(config.VirtualTokens, [width, inner, inner, width], "mlp_head", rows => nn.functional.relu(rows)));
    }

    private static AdapterParts Parts(PretrainedModel model, PromptLearningConfig config, TokenEmbedding table, PromptRows rows)
    {
        PromptLearningConfig complete = config with { TokenDim = config.TokenDim ?? (int)table.Weight.shape[1] };
        return rows.Parts(complete, () =>
        {
            model.Prompt = table.Virtual = new(config.VirtualTokens, rows.All);
            return new Placement(() => model.Prompt = table.Virtual = null);
        });
    }

    private static TokenEmbedding Table(PretrainedModel model, PromptLearningConfig config)
    {
        if (model.Prompt is not null)
            throw new PeftFormatException("A model has one prompt at a time; take the other one off first.");

        TokenEmbedding table = model.named_modules().Select(entry => entry.module).OfType<TokenEmbedding>().FirstOrDefault(table => ReferenceEquals(table.Weight, model.Backbone.TokenTable))
            ?? throw new PeftFormatException($"A {model.Config.ClassName} has no token table, so that no {config.PeftType} can stand before it.");
        return config.TokenDim is null || config.TokenDim == table.Weight.shape[1]
            ? table
            : throw new PeftFormatException($"token_dim is {config.TokenDim}, but the vectors of this {model.Config.ClassName} have {table.Weight.shape[1]} numbers.");
    }

    private static Action<Parameter, SplitMix64> StartOf(PromptTuningConfig config, TokenEmbedding table)
    {
        if (config.Start == PromptStart.Random)
            return (rows, random) => Weights.FillNormal(rows.Floats(), 1, random);
        if (config.Start == PromptStart.SampleVocabulary)
            return (rows, random) => Copy(table, rows, [.. Enumerable.Range(0, config.VirtualTokens).Select(_ => (long)random.NextInt32((int)table.Weight.shape[0]))]);

        List<int> ids = [];
        if (config.StartText is not { Length: > 0 } text || config.Tokenizer is not { } folder)
            throw new PeftFormatException("prompt_tuning_init TEXT needs prompt_tuning_init_text, and tokenizer_name_or_path with the folder of a tokenizer.");
        TokenizerFolder.Read(folder).Encode(text, ids);
        if (ids.Count == 0 || ids.Max() >= table.Weight.shape[0])
            throw new PeftFormatException($"The tokenizer in {folder} gives prompt_tuning_init_text {(ids.Count == 0 ? "no token" : $"the token {ids.Max()}, of a vocabulary of {table.Weight.shape[0]}")}; take the model's own.");
        return (rows, _) => Copy(table, rows, [.. Enumerable.Range(0, config.VirtualTokens).Select(i => (long)ids[i % ids.Count])]);
    }

    private static void Copy(TokenEmbedding table, Parameter rows, long[] ids)
    {
        using IDisposable _ = no_grad();
        using DisposeScope scope = NewDisposeScope();
        rows.copy_(table.Weight.index_select(0, tensor(ids, [ids.Length])));
    }
}

/// <summary>Something put on a model, which goes when this is disposed.</summary>
internal sealed class Placement(Action takeAway) : IDisposable
{
    /// <inheritdoc/>
    public void Dispose() => takeAway();
}
