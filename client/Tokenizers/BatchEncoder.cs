namespace Federated.Client.Tokenizers;

/// <summary>Makes rows of bounded length from texts, and batches from rows.</summary>
/// <param name="tokenizer">Gives the ids.</param>
/// <param name="options">Lengths and padding.</param>
public sealed class BatchEncoder(ITokenizer tokenizer, BatchOptions options)
{
    /// <summary>Encodes a text, or a pair, and cuts it to <see cref="BatchOptions.MaxLength"/>.</summary>
    /// <exception cref="ArgumentException">The special tokens alone are longer than allowed, or the text that may be cut is too short to make room.</exception>
    public TokenRow EncodeRow(string first, string? second = null)
    {
        bool pair = second is not null;
        List<int> firstIds = [], secondIds = [];
        tokenizer.Encode(first, firstIds, addSpecialTokens: false);
        if (pair)
            tokenizer.Encode(second, secondIds, addSpecialTokens: false);

        Truncate(firstIds, secondIds, pair);
        IReadOnlyList<TemplatePart> parts = tokenizer.Template.Parts(pair);
        List<int> ids = [], types = [], special = [];
        foreach (TemplatePart part in parts)
        {
            if (part.IsText)
                ids.AddRange(part.Text == 0 ? firstIds : secondIds);
            else if (options.AddSpecialTokens)
                ids.AddRange(part.Tokens);

            while (types.Count < ids.Count)
            {
                types.Add(part.TypeId);
                special.Add(part.IsText ? 0 : 1);
            }
        }

        return new([.. ids], types.TrueForAll(type => type == 0) ? null : [.. types], [.. special]);
    }

    /// <summary>Encodes texts, or pairs, as one batch.</summary>
    public TokenBatch Encode(IReadOnlyList<string> first, IReadOnlyList<string>? second = null)
    {
        if (second is not null && second.Count != first.Count)
            throw new ArgumentException($"{first.Count} first texts and {second.Count} second ones; wanted as many.", nameof(second));

        return Pad([.. first.Select((text, index) => EncodeRow(text, second?[index]))]);
    }

    /// <summary>Fills rows up to equal length.</summary>
    /// <exception cref="InvalidOperationException">Rows need filling and neither the options nor the tokenizer name a padding token.</exception>
    public TokenBatch Pad(IReadOnlyList<TokenRow> rows)
    {
        int columns = options.PadToMaxLength ? options.MaxLength ?? throw new InvalidOperationException("PadToMaxLength needs MaxLength.") : 0;
        foreach (TokenRow row in rows)
            columns = Math.Max(columns, row.Length);

        columns = (columns + options.PadToMultipleOf - 1) / options.PadToMultipleOf * options.PadToMultipleOf;
        int? pad = options.PadId ?? tokenizer.Special.Pad;
        TokenBatch batch = new(rows.Count, columns, new long[rows.Count * columns], new long[rows.Count * columns], new long[rows.Count * columns]);
        for (int row = 0; row < rows.Count; row++)
            Fill(batch, row, rows[row], pad);

        return batch;
    }

    private void Fill(TokenBatch batch, int row, TokenRow source, int? pad)
    {
        Span<long> ids = batch.InputIds.AsSpan(row * batch.Columns, batch.Columns);
        if (source.Length < batch.Columns)
            ids.Fill(pad ?? throw new InvalidOperationException("Rows differ in length and there is no padding token: set BatchOptions.PadId, or pad_token in tokenizer_config.json."));

        int start = options.Padding == Side.Right ? 0 : batch.Columns - source.Length;
        int offset = (row * batch.Columns) + start;
        for (int i = 0; i < source.Length; i++)
        {
            ids[start + i] = source.Ids[i];
            batch.AttentionMask[offset + i] = 1;
            batch.TypeIds[offset + i] = source.TypeIds is { } types ? types[i] : 0;
        }
    }

    private void Truncate(List<int> first, List<int> second, bool pair)
    {
        if (options.MaxLength is not { } maxLength)
            return;

        int special = options.AddSpecialTokens ? tokenizer.Template.SpecialCount(pair) : 0;
        int room = maxLength - special;
        if (first.Count + second.Count <= room)
            return;

        (int firstRoom, int secondRoom) = options.Truncation switch
        {
            TruncationStrategy.OnlyFirst => (room - second.Count, second.Count),
            TruncationStrategy.OnlySecond when pair => (first.Count, room - first.Count),
            _ => Share(first.Count, second.Count, room),
        };
        if (firstRoom < 0 || secondRoom < 0)
            throw new ArgumentException($"MaxLength is {maxLength}, but {special} special tokens and the text that {options.Truncation} does not cut need more; raise it or choose another truncation.");

        Cut(first, firstRoom);
        Cut(second, secondRoom);
    }

    /// <summary>As the transformers library cuts token by token, always the longer text and of equals the second. (The tokenizers library gives an odd place to the longer text.)</summary>
    private static (int First, int Second) Share(int first, int second, int room)
    {
        int half = room / 2, odd = room - half;
        if (first <= odd)
            return (first, room - first);

        return second <= half ? (room - second, second) : (odd, half);
    }

    private void Cut(List<int> ids, int length)
    {
        if (ids.Count > length)
            ids.RemoveRange(options.TruncationSide == Side.Right ? length : 0, ids.Count - length);
    }
}
