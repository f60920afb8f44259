using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Federated.Client.Models.Operators;

/// <summary>The models' operations composed from TorchSharp's public ones: the reference that any faster form is tested against.</summary>
/// <remarks>
/// Everything works on flat positions, (n, width): a padded batch is one with rows of equal length. Every method returns one new tensor in
/// the caller's dispose scope and frees what autograd does not keep.
/// </remarks>
internal static class ComposedKernels
{
    /// <summary>x·Wᵀ + b: (n, in) → (n, out).</summary>
    internal static Tensor Linear(Tensor input, Tensor weight, Tensor? bias) => nn.functional.linear(input, weight, bias);

    /// <summary>Rows of the table, (n) ids → (n, width); the row of the padding id gets no gradient.</summary>
    internal static Tensor Embedding(Tensor weight, Tensor ids, long? paddingId)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor rows = weight.index_select(0, ids);
        if (paddingId is { } padding && weight.requires_grad && is_grad_enabled())
            rows = where(ids.eq(padding).unsqueeze(1), rows.detach(), rows);
        return rows.MoveToOuterDisposeScope();
    }

    /// <summary>Root-mean-square norm over the last dimension (Zhang and Sennrich 2019, arXiv:1910.07467): x / sqrt(mean(x²) + eps) · w.</summary>
    internal static Tensor RmsNorm(Tensor input, Tensor weight, double eps)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor meanSquare = (input * input).mean([-1], keepdim: true);
        return (input * (meanSquare + eps).rsqrt() * weight).MoveToOuterDisposeScope();
    }

    /// <summary>Sets a share of the numbers to zero and scales up the others to keep the mean; the input itself where the share is 0.</summary>
    internal static Tensor Dropout(Tensor input, double share) => share > 0 ? nn.functional.dropout(input, share, training: true) : input;

    /// <summary>Layer norm over the last dimension (Ba et al. 2016, arXiv:1607.06450): (x − mean) / sqrt(variance + eps) · w + b.</summary>
    internal static Tensor LayerNorm(Tensor input, Tensor weight, Tensor bias, double eps) => nn.functional.layer_norm(input, [weight.shape[0]], weight, bias, eps);

    /// <summary>x · Φ(x), Φ the normal distribution's cumulative function (Hendrycks and Gimpel 2016, arXiv:1606.08415).</summary>
    internal static Tensor Gelu(Tensor input) => nn.functional.gelu(input);

    /// <summary>GELU's approximation 0.5 x (1 + tanh(√(2/π) (x + 0.044715 x³))).</summary>
    internal static Tensor GeluByTanh(Tensor input) => nn.functional.gelu(input, GELU.Approximate.tanh);

    /// <summary>GELU's approximation x · sigmoid(1.702 x).</summary>
    internal static Tensor GeluBySigmoid(Tensor input)
    {
        using DisposeScope scope = NewDisposeScope();
        return (input * nn.functional.sigmoid(input * 1.702)).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Rotates pairs (i, i + pairs) of every head by the position's angles (Su et al. 2021, arXiv:2104.09864, in Hugging Face's half layout); what is
    /// behind the pairs stays, as in GPT-NeoX and Phi.
    /// </summary>
    /// <param name="heads">(n, heads, width).</param>
    /// <param name="cos">(n, 1, pairs), 2 · pairs at most the width.</param>
    /// <param name="sin">(n, 1, pairs).</param>
    internal static Tensor Rotary(Tensor heads, Tensor cos, Tensor sin)
    {
        using DisposeScope scope = NewDisposeScope();
        long half = cos.shape[^1], rest = heads.shape[^1] - (2 * half);
        Tensor first = heads.narrow(-1, 0, half), second = heads.narrow(-1, half, half);
        List<Tensor> parts = [(first * cos) - (second * sin), (second * cos) + (first * sin)];
        if (rest > 0)
            parts.Add(heads.narrow(-1, 2 * half, rest));
        return cat(parts, -1).MoveToOuterDisposeScope();
    }

    /// <summary>silu(gate) · up, elementwise (Shazeer 2020, arXiv:2002.05202).</summary>
    internal static Tensor SwiGlu(Tensor gate, Tensor up)
    {
        using DisposeScope scope = NewDisposeScope();
        return (nn.functional.silu(gate) * up).MoveToOuterDisposeScope();
    }

    /// <summary>x·Wᵀ + b + scale · (dropout(x)·Aᵀ)·Bᵀ (Hu et al. 2021, arXiv:2106.09685).</summary>
    internal static Tensor LoraLinear(Tensor input, Tensor weight, Tensor? bias, Tensor a, Tensor b, double scale, double dropout)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor low = nn.functional.linear(nn.functional.linear(Dropout(input, dropout), a) * scale, b);
        return (nn.functional.linear(input, weight, bias) + low).MoveToOuterDisposeScope();
    }

    /// <summary>Attention within each row of a packed batch.</summary>
    /// <param name="query">(n, heads, width), heads a multiple of the key's.</param>
    /// <param name="key">(n, key heads, width).</param>
    /// <param name="value">(n, key heads, width).</param>
    /// <param name="offsets">Where each row starts, and the end.</param>
    /// <param name="scale">Factor of the scores, usually 1/sqrt(width).</param>
    /// <param name="pattern">Which keys of its row a query sees.</param>
    /// <param name="dropout">Share of the probabilities that is dropped.</param>
    /// <returns>(n, heads·width).</returns>
    internal static Tensor PackedAttention(
        Tensor query, Tensor key, Tensor value, ReadOnlySpan<int> offsets, double scale, AttentionPattern pattern, double dropout = 0)
    {
        using DisposeScope scope = NewDisposeScope();
        List<Tensor> parts = [];
        for (int row = 0; row + 1 < offsets.Length;)
        {
            // Neighbours of equal length share one batched product; batches made by length buckets have few distinct lengths.
            int length = offsets[row + 1] - offsets[row], end = row + 1;
            while (end + 1 < offsets.Length && offsets[end + 1] - offsets[end] == length)
                end++;
            int start = offsets[row], count = offsets[end] - start;
            Tensor? mask = pattern.Causal ? CausalMask(length, pattern.Window) : null;
            parts.Add(Attend(query.narrow(0, start, count), key.narrow(0, start, count), value.narrow(0, start, count), end - row, mask, scale, dropout, null));
            row = end;
        }

        return (parts.Count == 1 ? parts[0] : cat(parts, 0)).MoveToOuterDisposeScope();
    }

    /// <summary>Attention of a padded batch: every row has as many queries as the others, and as many keys, of which there may be more.</summary>
    /// <param name="query">(rows·queries, heads, width), heads a multiple of the key's.</param>
    /// <param name="key">(rows·keys, key heads, width).</param>
    /// <param name="value">(rows·keys, key heads, width).</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="mask">Added to the scores, (rows or 1, 1, 1, queries, keys); null for none.</param>
    /// <param name="scale">Factor of the scores.</param>
    /// <param name="dropout">Share of the probabilities that is dropped.</param>
    /// <param name="trace">Takes the probabilities; null for none.</param>
    /// <returns>(rows·queries, heads·width).</returns>
    internal static Tensor PaddedAttention(Tensor query, Tensor key, Tensor value, long rows, Tensor? mask, double scale, double dropout, ForwardTrace? trace)
    {
        using DisposeScope scope = NewDisposeScope();
        return Attend(query, key, value, rows, mask, scale, dropout, trace).MoveToOuterDisposeScope();
    }

    /// <summary>Attention of one row's newest positions over all of its keys, without gradients.</summary>
    /// <param name="query">(n, heads, width), heads a multiple of the key's.</param>
    /// <param name="keys">(key heads, length, width); may be a view with gaps between heads.</param>
    /// <param name="values">As the keys.</param>
    /// <param name="mask">Added to the scores, (1, 1, 1, n, length); null for none.</param>
    /// <param name="scale">Factor of the scores.</param>
    /// <returns>(n, heads·width).</returns>
    internal static Tensor CachedAttention(Tensor query, Tensor keys, Tensor values, Tensor? mask, double scale)
    {
        using DisposeScope scope = NewDisposeScope();
        long count = query.shape[0], heads = query.shape[1], width = query.shape[2], keyHeads = keys.shape[0], length = keys.shape[1], group = heads / keyHeads;
        if (count == 1)
        {
            // One new token, as in all passes of generation but the first: its heads lie as the products want them, and calls are what a small model pays for.
            Tensor row = (query * scale).view(keyHeads, group, width).bmm(keys.transpose(1, 2));
            return (mask is null ? row : row + mask.view(1, 1, length)).softmax(-1).bmm(values).view(1, heads * width).MoveToOuterDisposeScope();
        }

        Tensor q = (query * scale).view(count, keyHeads, group, width).permute(1, 2, 0, 3).reshape(keyHeads, group * count, width);
        Tensor scores = q.bmm(keys.transpose(1, 2)).view(keyHeads, group, count, length);
        Tensor probabilities = (mask is null ? scores : scores + mask.view(1, 1, count, length)).softmax(-1);
        Tensor mixed = probabilities.view(keyHeads, group * count, length).bmm(values);
        return mixed.view(keyHeads, group, count, width).permute(2, 0, 1, 3).reshape(count, heads * width).MoveToOuterDisposeScope();
    }

    /// <summary>Sum over positions of −log softmax(h·Wᵀ + b)[target]: (n, hidden), (n) → scalar.</summary>
    internal static Tensor LinearCrossEntropy(Tensor hidden, Tensor weight, Tensor? bias, Tensor targets)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor logits = nn.functional.linear(hidden, weight, bias);
        return nn.functional.cross_entropy(logits, targets, reduction: nn.Reduction.Sum).MoveToOuterDisposeScope();
    }

    private static Tensor CausalMask(long length, int? window)
    {
        Tensor mask = full([length, length], float.NegativeInfinity);
        return window is { } keys ? mask.triu(1) + mask.tril(-keys) : mask.triu(1);
    }

    private static Tensor Attend(Tensor query, Tensor key, Tensor value, long rows, Tensor? mask, double scale, double dropout, ForwardTrace? trace)
    {
        long queries = query.shape[0] / rows, keys = key.shape[0] / rows, heads = query.shape[1], width = query.shape[2], keyHeads = key.shape[1], group = heads / keyHeads;
        // Query heads that share a key head are stacked along the sequence, so keys and values are never repeated.
        Tensor q = (query * scale).view(rows, queries, keyHeads, group, width).permute(0, 2, 3, 1, 4).reshape(rows * keyHeads, group * queries, width);
        Tensor k = key.view(rows, keys, keyHeads, width).permute(0, 2, 3, 1).reshape(rows * keyHeads, width, keys);
        Tensor v = value.view(rows, keys, keyHeads, width).permute(0, 2, 1, 3).reshape(rows * keyHeads, keys, width);
        Tensor scores = q.bmm(k).view(rows, keyHeads, group, queries, keys);
        Tensor probabilities = (mask is null ? scores : scores + mask).softmax(-1);
        trace?.AddAttention(probabilities.view(rows, heads, queries, keys));
        Tensor mixed = Dropout(probabilities, dropout).view(rows * keyHeads, group * queries, keys).bmm(v);
        return mixed.view(rows, keyHeads, group, queries, width).permute(0, 3, 1, 2, 4).reshape(rows * queries, heads * width);
    }
}
