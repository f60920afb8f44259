using Federated.Client.Models.Operators;
using static TorchSharp.torch;

namespace Federated.Client.Models;

/// <summary>What all blocks of one forward pass share: which positions attend to which, their rotation, and where to leave traces.</summary>
internal sealed class AttentionLayout
{
    private readonly AttentionPattern _pattern;
    private readonly ForwardOptions _options;
    private readonly int[] _offsets;
    private readonly int _past;
    private readonly Tensor? _cos, _sin, _mask, _kept, _ownPlaces;

    /// <summary>The layout of rows of tokens.</summary>
    /// <param name="batch">The tokens.</param>
    /// <param name="pattern">Who sees whom.</param>
    /// <param name="options">What the pass is asked for; the wanted positions are not applied here but by <see cref="Keeping"/>.</param>
    /// <param name="rotary">Rotation of queries and keys; null for none.</param>
    internal AttentionLayout(SequenceBatch batch, AttentionPattern pattern, ForwardOptions options, RotaryEmbedding? rotary = null)
    {
        Require(batch, pattern, options);
        (_options, _offsets) = (options, batch.Offsets.ToArray());
        AttentionPrefix? prefix = options.Prefix;
        _past = options.Cache is null ? prefix?.Length ?? 0 : StartedCache(options.Cache, prefix);
        _pattern = pattern.Over(_past + batch.Width);
        Positions = _past == 0 ? batch.Positions : Shifted(batch.Positions.Span, _past);
        if (rotary is not null)
            (_cos, _sin) = rotary.Rows(Positions.Span);

        _mask = Mask(_pattern, batch);
        if (prefix is not null && options.Cache is null && !IsRectangle(batch))
        {
            _ownPlaces = Places(prefix.OwnPlaces(_offsets));
            _offsets = prefix.Shift(_offsets);
        }
    }

    /// <summary>The layout of rows of equal length without order or padding, such as the patches of images: everyone of a row sees everyone.</summary>
    internal AttentionLayout(int rows, int width, ForwardOptions options)
    {
        if (options.Cache is not null || options.Prefix is not null)
            throw new ArgumentException("Only a decoder, whose tokens see those before them, can go on from a cache or a prefix.", nameof(options));
        (_options, _pattern, Positions) = (options, AttentionPattern.Full, ReadOnlyMemory<long>.Empty);
        _offsets = [.. Enumerable.Range(0, rows + 1).Select(row => checked(row * width))];
    }

    private AttentionLayout(AttentionLayout all, AttentionPattern pattern, Tensor? mask, Tensor? kept)
    {
        (_options, _offsets, _past, Positions, _cos, _sin, _ownPlaces) = (all._options, all._offsets, all._past, all.Positions, all._cos, all._sin, all._ownPlaces);
        (_pattern, _mask, _kept) = (pattern, mask, kept);
    }

    internal ForwardTrace? Trace => _options.Trace;

    /// <summary>Position of each token: those of the batch, after what a cache or prefix put before them.</summary>
    internal ReadOnlyMemory<long> Positions { get; }

    /// <summary>The positions as ids into a table of <paramref name="count"/> learned ones, (n), in the current dispose scope.</summary>
    /// <exception cref="ArgumentException">A position is outside the table.</exception>
    internal Tensor PositionTensor(int count)
    {
        foreach (long position in Positions.Span)
        {
            if ((ulong)position >= (ulong)count)
                throw new ArgumentException($"Position {position} is outside the model's {count} learned positions: shorten the text.");
        }

        return tensor(Positions.ToArray(), [Positions.Length]);
    }

    /// <summary>The layout of a block of whose output only some positions are wanted, (n) int64.</summary>
    internal AttentionLayout Keeping(Tensor positions) => new(this, _pattern, _mask, positions);

    /// <summary>The layout of blocks whose queries see other keys of the same rows.</summary>
    /// <param name="pattern">Who sees whom there.</param>
    /// <param name="batch">The tokens that this layout is of.</param>
    internal AttentionLayout Under(AttentionPattern pattern, SequenceBatch batch)
    {
        pattern = pattern.Over(_past + batch.Width);
        return pattern == _pattern ? this : new(this, pattern, Mask(pattern, batch), _kept);
    }

    /// <summary>The rows of (positions, width) that the block goes on with once attention has mixed them: all of them, or the wanted ones.</summary>
    internal Tensor Keep(Tensor rows) => _kept is null ? rows : rows.index_select(0, _kept);

    /// <summary>(n, heads, width) → the same, the first pairs of every head rotated by each position's angles.</summary>
    internal Tensor Rotate(Tensor heads) => Kernels.Rotary(heads, _cos!, _sin!);

    /// <summary>Self-attention within each row: (n, heads, width) → (n, heads·width). Call once a layer and pass.</summary>
    /// <param name="layer">Number of the layer, from 0.</param>
    /// <param name="query">(n, heads, width), heads a multiple of the key's.</param>
    /// <param name="key">(n, key heads, width).</param>
    /// <param name="value">(n, key heads, width).</param>
    /// <param name="scale">Factor of the scores.</param>
    /// <param name="dropout">Share of the probabilities that is dropped; 0 outside training.</param>
    internal Tensor Attend(int layer, Tensor query, Tensor key, Tensor value, double scale, double dropout = 0)
    {
        if (_options.Cache is { } cache)
        {
            if (_past > 0 && _past == _options.Prefix?.Length)
                AppendPrefix(cache, layer);
            (Tensor keys, Tensor values) = cache.Append(layer, _past, key, value);
            return Kernels.CachedAttention(query, keys, values, _mask, scale);
        }

        if (_options.Prefix is { } prefix)
        {
            (Tensor keys, Tensor values) = prefix.Layer(layer);
            int[] own = _ownPlaces is null ? _offsets : Unshifted(_offsets, prefix.Length);
            (key, value) = (AttentionPrefix.Join(keys, key, own), AttentionPrefix.Join(values, value, own));
            if (_ownPlaces is not null)
            {
                // The packed kernel wants a query at every key: the prefix gets zeros, and what they see is dropped.
                query = AttentionPrefix.Join(zeros(prefix.Length, query.shape[1], query.shape[2]), query, own);
                return Kernels.PackedAttention(query, key, value, _offsets, scale, _pattern, dropout).index_select(0, _ownPlaces);
            }
        }

        return _mask is null && Trace is null
            ? Kernels.PackedAttention(query, key, value, _offsets, scale, _pattern, dropout)
            : Kernels.PaddedAttention(query, key, value, _offsets.Length - 1, _mask, scale, dropout, Trace);
    }

    private static void Require(SequenceBatch batch, AttentionPattern pattern, ForwardOptions options)
    {
        if (options.Trace is not null && (batch.IsPacked || options.Cache is not null))
            throw new ArgumentException("A trace needs a padded batch and no cache.", nameof(options));
        if (options.Cache is not null && (batch.Rows != 1 || batch.Mask is not null))
            throw new ArgumentException($"A cache holds one sequence without padding; the batch has {batch.Rows} rows{(batch.Mask is null ? "" : " with padding")}.", nameof(batch));
        if (!pattern.Causal && (options.Cache is not null || options.Prefix is not null))
            throw new ArgumentException("Only a decoder, whose tokens see those before them, can go on from a cache or a prefix.", nameof(options));
    }

    private Tensor? Mask(AttentionPattern pattern, SequenceBatch batch)
    {
        if (_options.Cache is not null)
            return batch.Count == 1 && pattern.Window is null ? null : CachedMask(pattern, _past, batch.Count);
        return IsRectangle(batch) ? PaddedMask(pattern, batch, _past) : null;
    }

    // Whether attention runs over rows of equal length under a mask, and not over packed ones.
    private bool IsRectangle(SequenceBatch batch) => batch.Mask is not null || Trace is not null || (_options.Prefix is not null && !batch.IsPacked);

    private static int StartedCache(KeyValueCache cache, AttentionPrefix? prefix) => cache.Length > 0 ? cache.Length : prefix?.Length ?? 0;

    // A prefix is the first thing in the cache; the pass after it finds it there.
    private void AppendPrefix(KeyValueCache cache, int layer)
    {
        (Tensor keys, Tensor values) = _options.Prefix!.Layer(layer);
        cache.Append(layer, 0, keys, values);
    }

    private static int[] Unshifted(int[] offsets, int length) => [.. offsets.Select((offset, row) => offset - (row * length))];

    private static long[] Shifted(ReadOnlySpan<long> positions, int past)
    {
        long[] shifted = positions.ToArray();
        for (int i = 0; i < shifted.Length; i++)
            shifted[i] += past;
        return shifted;
    }

    private static Tensor Places(long[] places) => tensor(places, [places.Length]);

    // (1, 1, 1, n, past + n): the query at place past + i.
    private static Tensor CachedMask(AttentionPattern pattern, int past, int count)
    {
        int keys = past + count;
        float[] mask = new float[checked(count * keys)];
        for (int query = 0; query < count; query++)
            Hide(mask.AsSpan(query * keys, keys), pattern, past + query);
        return tensor(mask, [1, 1, 1, count, keys]);
    }

    // (rows or 1, 1, 1, width, prefix + width), or null where everyone sees everyone. The lowest finite number instead of minus infinity: a padded
    // query may see no key at all, and its row must stay finite, since 0 · NaN would poison the gradients of the others.
    private static Tensor? PaddedMask(AttentionPattern pattern, SequenceBatch batch, int prefix)
    {
        if (!pattern.Causal && batch.Mask is null)
            return null;

        int width = batch.Width, keys = prefix + width, rows = batch.Mask is null ? 1 : batch.Rows;
        float[] mask = new float[checked(rows * width * keys)];
        for (int row = 0; row < rows; row++)
        {
            for (int query = 0; query < width; query++)
            {
                Span<float> line = mask.AsSpan(((row * width) + query) * keys, keys);
                Hide(line, pattern, prefix + query);
                for (int key = 0; batch.Mask is not null && key < width; key++)
                    line[prefix + key] = batch.Mask[(row * width) + key] ? line[prefix + key] : float.MinValue;
            }
        }

        return tensor(mask, [rows, 1, 1, width, keys]);
    }

    private static void Hide(Span<float> line, AttentionPattern pattern, int place)
    {
        line[..pattern.First(place)].Fill(float.MinValue);
        line[pattern.End(place, line.Length)..].Fill(float.MinValue);
    }
}
