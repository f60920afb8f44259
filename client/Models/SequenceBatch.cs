using static TorchSharp.torch;

namespace Federated.Client.Models;

/// <summary>The token ids of some sequences, either packed end to end without padding or padded to a rectangle.</summary>
/// <remarks>
/// Plain managed data without native memory: a batch may be built on any thread, kept and used again. Either way a model works on the
/// flat list of <see cref="Count"/> positions; the two forms differ only in how attention groups them. Packed batches do no work for
/// padding and are what training uses; padded ones mirror Hugging Face's <c>input_ids</c> with <c>attention_mask</c>.
/// </remarks>
public sealed class SequenceBatch : ModelInput
{
    private SequenceBatch(long[] ids, long[] positions, int[] offsets, bool isPacked, bool[]? mask) =>
        (Ids, Positions, Offsets, IsPacked, Mask) = (ids, positions, offsets, isPacked, mask);

    /// <summary>Token ids of all rows, one row after the other, padding included.</summary>
    public ReadOnlyMemory<long> Ids { get; }

    /// <summary>Position of each token in its sequence, from 0; for a padded batch it counts padding too unless given otherwise.</summary>
    public ReadOnlyMemory<long> Positions { get; }

    /// <summary>Where each row starts in <see cref="Ids"/>, and at the end <see cref="Count"/>: one entry more than there are rows.</summary>
    public ReadOnlyMemory<int> Offsets { get; }

    /// <summary>Whether rows stand end to end, each with its own length.</summary>
    public bool IsPacked { get; }

    /// <summary>Segment of each token, such as 0 for the first text of a pair and 1 for the second; null where all are 0.</summary>
    public ReadOnlyMemory<long>? TokenTypes { get; private init; }

    /// <summary>Padded batches only: which positions are real; null when all are.</summary>
    internal bool[]? Mask { get; }

    /// <summary>Number of sequences.</summary>
    public override int Rows => Offsets.Length - 1;

    /// <summary>Number of positions, padding included.</summary>
    public int Count => Ids.Length;

    /// <summary>Number of positions that are no padding.</summary>
    public override int RealTokens => Mask is null ? Count : Mask.Count(real => real);

    /// <summary>Length of every row of a padded batch; of the longest row of a packed one.</summary>
    public int Width
    {
        get
        {
            int width = 0;
            ReadOnlySpan<int> offsets = Offsets.Span;
            for (int row = 0; row < Rows; row++)
                width = Math.Max(width, offsets[row + 1] - offsets[row]);
            return width;
        }
    }

    /// <summary>The input of a text model.</summary>
    /// <exception cref="ArgumentException">It is an input of another kind.</exception>
    internal static SequenceBatch Of(ModelInput input) =>
        input as SequenceBatch ?? throw new ArgumentException($"A text model reads a {nameof(SequenceBatch)}, not a {input.GetType().Name}.", nameof(input));

    /// <summary>Number of virtual tokens at the start of every row; see <see cref="Behind"/>.</summary>
    public int VirtualTokens { get; private init; }

    /// <summary>The same tokens with the segment of each.</summary>
    /// <param name="types">One a position, as <see cref="Ids"/>. Kept, not copied.</param>
    /// <exception cref="ArgumentException">Not one a position.</exception>
    public SequenceBatch WithTokenTypes(long[] types) => types.Length == Count
        ? new(Ids.ToArray(), Positions.ToArray(), Offsets.ToArray(), IsPacked, Mask) { TokenTypes = types, VirtualTokens = VirtualTokens }
        : throw new ArgumentException($"{types.Length} token types for {Count} positions.", nameof(types));

    /// <summary>The same rows behind virtual tokens, whose ids follow those of the vocabulary; rows begin at position <paramref name="count"/>.</summary>
    /// <param name="count">Number of virtual tokens, at least 1.</param>
    /// <param name="vocabulary">Number of real token ids.</param>
    /// <exception cref="ArgumentException">An id is outside the vocabulary.</exception>
    /// <exception cref="InvalidOperationException">The batch has virtual tokens already.</exception>
    public SequenceBatch Behind(int count, int vocabulary)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        if (VirtualTokens > 0)
            throw new InvalidOperationException($"The rows stand behind {VirtualTokens} virtual tokens already.");

        CheckIds(vocabulary);
        ReadOnlySpan<long> positions = Positions.Span;
        int[] offsets = [.. Offsets.ToArray().Select((offset, row) => checked(offset + (row * count)))];
        long[] moved = Widened(positions, count, i => i);
        for (int row = 0; row < Rows; row++)
        {
            foreach (ref long position in moved.AsSpan((offsets[row] + count)..offsets[row + 1]))
                position += count;
        }

        return new(
            Widened(Ids.Span, count, i => vocabulary + i), moved, offsets, IsPacked, Mask is null ? null : Widened<bool>(Mask, count, _ => true))
        {
            TokenTypes = TokenTypes is { } types ? Widened(types.Span, count, _ => 0) : null,
            VirtualTokens = count,
        };
    }

    /// <summary>Values of this batch's places, with some before each row.</summary>
    /// <param name="values">One a place.</param>
    /// <param name="count">How many come before each row.</param>
    /// <param name="before">The value of the i-th of them.</param>
    internal T[] Widened<T>(ReadOnlySpan<T> values, int count, Func<int, T> before)
    {
        T[] widened = new T[checked(values.Length + (Rows * count))];
        ReadOnlySpan<int> offsets = Offsets.Span;
        for (int row = 0; row < Rows; row++)
        {
            Span<T> target = widened.AsSpan(offsets[row] + (row * count));
            for (int i = 0; i < count; i++)
                target[i] = before(i);
            values[offsets[row]..offsets[row + 1]].CopyTo(target[count..]);
        }

        return widened;
    }

    /// <summary>Packs sequences end to end.</summary>
    /// <exception cref="ArgumentException">There is no sequence, or one is empty.</exception>
    public static SequenceBatch Packed(IReadOnlyList<ReadOnlyMemory<int>> sequences)
    {
        int[] offsets = new int[CheckedCount(sequences) + 1];
        for (int row = 0; row < sequences.Count; row++)
            offsets[row + 1] = checked(offsets[row] + sequences[row].Length);

        long[] ids = new long[offsets[^1]], positions = new long[offsets[^1]];
        for (int row = 0; row < sequences.Count; row++)
        {
            ReadOnlySpan<int> sequence = sequences[row].Span;
            for (int i = 0; i < sequence.Length; i++)
                (ids[offsets[row] + i], positions[offsets[row] + i]) = (sequence[i], i);
        }

        return new(ids, positions, offsets, isPacked: true, mask: null);
    }

    /// <summary>Pads sequences on the right to the longest one.</summary>
    /// <exception cref="ArgumentException">There is no sequence, or one is empty.</exception>
    public static SequenceBatch Padded(IReadOnlyList<ReadOnlyMemory<int>> sequences, int padTokenId)
    {
        int rows = CheckedCount(sequences), width = sequences.Max(sequence => sequence.Length);
        long[] ids = new long[checked(rows * width)], mask = new long[ids.Length];
        Array.Fill(ids, padTokenId);
        for (int row = 0; row < rows; row++)
        {
            ReadOnlySpan<int> sequence = sequences[row].Span;
            for (int i = 0; i < sequence.Length; i++)
                (ids[(row * width) + i], mask[(row * width) + i]) = (sequence[i], 1);
        }

        return Padded(ids, rows, width, mask);
    }

    /// <summary>A rectangle as Hugging Face passes it, padded on either side.</summary>
    /// <param name="ids">Token ids, (rows, width). Kept, not copied.</param>
    /// <param name="rows">Number of sequences, at least 1.</param>
    /// <param name="width">Length of every row, at least 1.</param>
    /// <param name="mask">1 where a token is real, 0 where it is padding, (rows, width); null when all are real.</param>
    /// <param name="positions">Position ids, (rows, width), kept; null counts 0, 1, ... along each row, padding included.</param>
    /// <exception cref="ArgumentException">Lengths disagree with rows times width, or the mask holds other values.</exception>
    public static SequenceBatch Padded(long[] ids, int rows, int width, long[]? mask = null, long[]? positions = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rows, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        int count = checked(rows * width);
        if (ids.Length != count || (mask ?? ids).Length != count || (positions ?? ids).Length != count)
            throw new ArgumentException($"A batch of {rows} x {width} needs {count} ids, mask and position values; got {ids.Length}, {mask?.Length}, {positions?.Length}.", nameof(ids));
        if (mask is not null && mask.Any(value => value is not (0 or 1)))
            throw new ArgumentException("An attention mask holds 1 (real) and 0 (padding) only.", nameof(mask));

        int[] offsets = new int[rows + 1];
        for (int row = 0; row < rows; row++)
            offsets[row + 1] = (row + 1) * width;
        bool[]? real = mask is null || mask.All(value => value == 1) ? null : Array.ConvertAll(mask, value => value == 1);
        return new(ids, positions ?? CountUp(rows, width), offsets, isPacked: false, real);
    }

    /// <summary>For each row the flat index of the last token before the first <paramref name="padTokenId"/>, the last of the row if there is none before it.</summary>
    /// <remarks>
    /// This is how transformers picks the token a decoder classifies by; the attention mask plays no part. A row that starts with padding
    /// (padded on the left) ends with its last token.
    /// </remarks>
    public long[] LastTokens(int? padTokenId)
    {
        ReadOnlySpan<int> offsets = Offsets.Span;
        long[] last = new long[Rows];
        for (int row = 0; row < last.Length; row++)
        {
            int start = offsets[row] + VirtualTokens, length = offsets[row + 1] - start;
            int pad = padTokenId is { } id ? Ids.Span.Slice(start, length).IndexOf(id) : -1;
            last[row] = start + (pad > 0 ? pad - 1 : length - 1);
        }

        return last;
    }

    /// <summary>For each row the flat index of its first place, padding or not.</summary>
    public long[] FirstTokens()
    {
        long[] first = new long[Rows];
        for (int row = 0; row < first.Length; row++)
            first[row] = Offsets.Span[row];
        return first;
    }

    /// <summary>The segments as a tensor, (<see cref="Count"/>), in the current dispose scope.</summary>
    /// <exception cref="ArgumentException">A segment is outside [0, <paramref name="types"/>).</exception>
    internal Tensor TypeTensor(int types)
    {
        if (TokenTypes is not { } given)
            return zeros(Count, dtype: ScalarType.Int64);
        foreach (long type in given.Span)
        {
            if ((ulong)type >= (ulong)types)
                throw new ArgumentException($"Token type {type} is outside the model's {types}.");
        }

        return tensor(given.ToArray(), [Count]);
    }

    /// <summary>The ids as a tensor, (<see cref="Count"/>), in the current dispose scope.</summary>
    /// <exception cref="ArgumentException">An id is outside [0, <paramref name="vocabularySize"/>).</exception>
    internal Tensor IdTensor(int vocabularySize)
    {
        CheckIds(vocabularySize + VirtualTokens);
        return tensor(Ids.ToArray(), [Count]);
    }

    private void CheckIds(int end)
    {
        foreach (long id in Ids.Span)
        {
            if ((ulong)id >= (ulong)end)
                throw new ArgumentException($"Token id {id} is outside the model's vocabulary of {end - VirtualTokens}: was the text encoded with another model's tokenizer?");
        }
    }

    private static int CheckedCount(IReadOnlyList<ReadOnlyMemory<int>> sequences)
    {
        if (sequences.Count == 0 || sequences.Any(sequence => sequence.IsEmpty))
            throw new ArgumentException("A batch holds at least one sequence, and every sequence at least one token.", nameof(sequences));
        return sequences.Count;
    }

    private static long[] CountUp(int rows, int width)
    {
        long[] positions = new long[rows * width];
        for (int i = 0; i < positions.Length; i++)
            positions[i] = i % width;
        return positions;
    }
}
