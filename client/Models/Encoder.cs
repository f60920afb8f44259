using TorchSharp;
using static TorchSharp.torch;

namespace Federated.Client.Models;

/// <summary>The forward pass that encoders of text share: embeddings, then blocks in which everyone sees everyone.</summary>
internal static class Encoder
{
    /// <summary>Hidden states of the wanted positions after the last block.</summary>
    /// <param name="input">The tokens.</param>
    /// <param name="options">What is wanted.</param>
    /// <param name="embed">The embedding output, (n, hidden).</param>
    /// <param name="blocks">(n, hidden) → (n, hidden), each.</param>
    internal static Tensor Encode(
        ModelInput input, ForwardOptions options, Func<SequenceBatch, Tensor> embed, IReadOnlyList<nn.Module<Tensor, AttentionLayout, Tensor>> blocks)
    {
        using DisposeScope scope = NewDisposeScope();
        SequenceBatch batch = SequenceBatch.Of(input);
        ForwardTrace? trace = options.Trace;
        Tensor? wanted = options.Positions is { } positions ? tensor(positions, [positions.Length]) : null;
        AttentionLayout layout = new(batch, AttentionPattern.Full, options);
        // A position of the last block feeds no other; those nobody asked for end at its attention. A trace shows them all.
        AttentionLayout last = wanted is null || trace is not null ? layout : layout.Keeping(wanted);
        Tensor hidden = embed(batch);
        trace?.AddHidden(hidden);
        for (int i = 0; i < blocks.Count; i++)
        {
            Tensor next = blocks[i].call(hidden, i == blocks.Count - 1 ? last : layout);
            hidden.Dispose();
            hidden = next;
            trace?.AddHidden(hidden);
        }

        return (wanted is not null && trace is not null ? hidden.index_select(0, wanted) : hidden).MoveToOuterDisposeScope();
    }

    /// <summary>Position ids as a tensor, (n).</summary>
    /// <exception cref="ArgumentException">A row is longer than the model's table of positions.</exception>
    internal static Tensor Places(ReadOnlySpan<long> positions, int most)
    {
        foreach (long position in positions)
        {
            if (position >= most)
                throw new ArgumentException($"A row reaches position {position}; the model has a table of {most} positions. Cut the text to fit.");
        }

        return tensor(positions.ToArray(), [positions.Length]);
    }
}
