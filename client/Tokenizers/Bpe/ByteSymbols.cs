namespace Federated.Client.Tokenizers.Bpe;

/// <summary>The id that each of the 256 bytes starts as.</summary>
internal sealed class ByteSymbols
{
    /// <summary>Marks a byte that gives no symbol, as the tokenizers library does when no unknown token is set.</summary>
    private const int Dropped = -1;

    private readonly int[] _ids = new int[256];
    private readonly int? _fusedUnknown;

    public ByteSymbols(Vocabulary vocabulary, BpeOptions options)
    {
        int? unknown = options.UnknownToken is { } token ? vocabulary.Id(token) : null;
        _fusedUnknown = options.FuseUnknown ? unknown : null;
        for (int value = 0; value < _ids.Length; value++)
        {
            int? known = vocabulary.Id(ByteAlphabet.CharOf((byte)value).ToString());
            AllKnown &= known is not null;
            _ids[value] = known ?? unknown ?? Dropped;
        }
    }

    /// <summary>Whether every byte has a token.</summary>
    public bool AllKnown { get; } = true;

    /// <summary>Writes the starting symbols of <paramref name="bytes"/> to <paramref name="symbols"/>, which has at least as many places, and returns how many.</summary>
    public int Start(ReadOnlySpan<byte> bytes, Span<int> symbols)
    {
        int count = 0;
        foreach (byte value in bytes)
        {
            int id = _ids[value];
            bool fused = id == _fusedUnknown && count > 0 && symbols[count - 1] == id;
            if (id != Dropped && !fused)
                symbols[count++] = id;
        }

        return count;
    }
}
