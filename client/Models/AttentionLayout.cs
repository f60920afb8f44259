using Federated.Client.Models.Operators;
using static TorchSharp.torch;

namespace Federated.Client.Models;

/// <summary>What all blocks of one forward pass share: which positions attend to which, their rotation, and where to leave traces.</summary>
internal sealed class AttentionLayout
{
    private readonly SequenceBatch _batch;
    private readonly Tensor _cos, _sin;
    private readonly Tensor? _mask, _kept;

    internal AttentionLayout(SequenceBatch batch, RotaryEmbedding rotary, ForwardTrace? trace)
    {
        if (trace is not null && batch.IsPacked)
            throw new ArgumentException("A trace needs a padded batch.", nameof(trace));
        (_batch, Trace) = (batch, trace);
        (_cos, _sin) = rotary.Rows(batch.Positions.Span);
        _mask = batch.IsPacked ? null : CausalMask(batch);
    }

    private AttentionLayout(AttentionLayout all, Tensor kept) =>
        (_batch, Trace, _cos, _sin, _mask, _kept) = (all._batch, all.Trace, all._cos, all._sin, all._mask, kept);

    internal ForwardTrace? Trace { get; }

    /// <summary>The layout of a block of whose output only some positions are wanted, (n) int64.</summary>
    internal AttentionLayout Keeping(Tensor positions) => new(this, positions);

    /// <summary>The rows of (positions, width) that the block goes on with once attention has mixed them: all of them, or the wanted ones.</summary>
    internal Tensor Keep(Tensor rows) => _kept is null ? rows : rows.index_select(0, _kept);

    /// <summary>(n, heads, width) → the same, rotated by each position's angles.</summary>
    internal Tensor Rotate(Tensor heads) => Kernels.Rotary(heads, _cos, _sin);

    /// <summary>Causal self-attention within each row: (n, heads, width) → (n, heads·width).</summary>
    internal Tensor Attend(Tensor query, Tensor key, Tensor value, double scale) => _mask is null
        ? Kernels.PackedCausalAttention(query, key, value, _batch.Offsets.Span, scale)
        : Kernels.PaddedAttention(query, key, value, _mask, scale, Trace);

    // (rows or 1, 1, 1, width, width). The lowest finite number instead of minus infinity: a padded query may see no key at all, and its
    // row must stay finite, since 0 · NaN would poison the gradients of the others.
    private static Tensor CausalMask(SequenceBatch batch)
    {
        int width = batch.Width, rows = batch.Mask is null ? 1 : batch.Rows;
        float[] mask = new float[checked(rows * width * width)];
        for (int row = 0; row < rows; row++)
        {
            for (int query = 0; query < width; query++)
            {
                Span<float> line = mask.AsSpan(((row * width) + query) * width, width);
                line[(query + 1)..].Fill(float.MinValue);
                for (int key = 0; batch.Mask is not null && key <= query; key++)
                    line[key] = batch.Mask[(row * width) + key] ? 0 : float.MinValue;
            }
        }

        return tensor(mask, [rows, 1, 1, width, width]);
    }
}
