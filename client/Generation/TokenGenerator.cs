using Federated.Client.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace Federated.Client.Generation;

/// <summary>Lets a decoder continue a text: it reads the prompt in one pass and then one token a pass, beside the keys and values of those before.</summary>
public sealed class TokenGenerator
{
    private readonly PretrainedModel _model;

    /// <summary>Takes a model; it must not be trained meanwhile.</summary>
    /// <exception cref="ArgumentException">The model has no head for the next token.</exception>
    public TokenGenerator(PretrainedModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        if (model.Config.Task != ModelTask.CausalLanguageModel)
            throw new ArgumentException($"A {model.Config.ClassName} cannot continue a text; a causal language model was expected.", nameof(model));
        _model = model;
    }

    /// <summary>Continues a prompt.</summary>
    /// <param name="prompt">Token ids, at least one and fewer than the model's context has places.</param>
    /// <param name="options">How to choose, and when to stop.</param>
    /// <param name="take">Gets each new token as soon as it is known, but for those that end the text; returns whether to go on.</param>
    /// <param name="cancellation">Checked before each token.</param>
    /// <exception cref="ArgumentException">The prompt is empty, or fills the context.</exception>
    /// <exception cref="InvalidDataException">The model's logits are not finite.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public FinishReason Generate(ReadOnlyMemory<int> prompt, GenerationOptions options, Func<int, bool> take, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(take);
        options.Validate();
        int context = _model.TextConfig.MaxPositions;
        if (prompt.Length == 0 || prompt.Length >= context)
            throw new ArgumentException($"The prompt has {prompt.Length} tokens; 1 to {context - 1} were expected, one fewer at most than the model's context of {context}.", nameof(prompt));

        using IDisposable _ = no_grad();
        _model.eval();
        using KeyValueCache cache = new(Math.Min(context, prompt.Length + options.MaxNewTokens));
        TokenSampler sampler = new(options);
        sampler.Saw(prompt.Span);
        int[] last = new int[1];
        ReadOnlyMemory<int> next = prompt;
        for (int count = 0; count < options.MaxNewTokens; count++)
        {
            cancellation.ThrowIfCancellationRequested();
            if (cache.Length + next.Length > context)
                return FinishReason.ContextFull;
            int token = Next(next, cache, sampler);
            if (options.EndTokens.Contains(token))
                return FinishReason.EndOfText;
            if (!take(token))
                return FinishReason.Stopped;
            last[0] = token;
            sampler.Saw(last);
            next = last;
        }

        return FinishReason.MaxTokens;
    }

    private int Next(ReadOnlyMemory<int> tokens, KeyValueCache cache, TokenSampler sampler)
    {
        using DisposeScope scope = NewDisposeScope();
        SequenceBatch batch = SequenceBatch.Packed([tokens]);
        Tensor hidden = _model.Encode(batch, new() { Cache = cache, Positions = [batch.Count - 1] });
        ReadOnlySpan<float> logits = _model.Head.Logits(hidden).Floats();
        int token = sampler.Next(logits);
        return float.IsFinite(logits[token])
            ? token
            : throw new InvalidDataException($"The model gives token {token} the logit {logits[token]}: its weights, or the adapter's, are damaged or have diverged.");
    }
}
