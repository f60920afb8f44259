using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;

namespace Federated.Client.Tokenizers.Normalisers;

/// <summary>SentencePiece's compiled table of replacements: a prefix tree over UTF-8 bytes, whose leaves point into a text of replacements.</summary>
/// <remarks>
/// Layout: length of the tree in bytes (uint32), the tree, the replacements, each ended by a zero byte; little endian. The tree is a double array
/// of Darts-clone: in a node of 32 bits, bits 0 to 7 and 31 are its label, bit 8 says that a leaf follows, bits 10 to 30 with bit 9 (times 256) are
/// the offset to its children; a leaf has bit 31 set and the place of its replacement below. Source: Aoe, "An Efficient Digital Search Algorithm by
/// Using a Double-Array Structure", IEEE TSE 15(9), 1989.
/// </remarks>
internal sealed class CharsMap
{
    private readonly uint[] _nodes;
    private readonly byte[] _replacements;
    private readonly string _source;
    private readonly string _place;
    private readonly string?[] _ascii = new string?[0x80];

    /// <exception cref="TokenizerFormatException">The lengths do not add up, or the replacements are not UTF-8.</exception>
    public CharsMap(ReadOnlySpan<byte> blob, string source, string place)
    {
        (_source, _place) = (source, place);
        uint length = blob.Length >= sizeof(uint) ? BinaryPrimitives.ReadUInt32LittleEndian(blob) : 0;
        if (length < sizeof(uint) || length % sizeof(uint) != 0 || length > blob.Length - sizeof(uint))
            throw Wrong($"got a table of {blob.Length} bytes with a tree of {length}; wanted a tree of whole nodes inside the table.");

        _nodes = MemoryMarshal.Cast<byte, uint>(blob.Slice(sizeof(uint), (int)length)).ToArray();
        _replacements = blob[(sizeof(uint) + (int)length)..].ToArray();
        if (!BitConverter.IsLittleEndian)
            BinaryPrimitives.ReverseEndianness(_nodes, _nodes);

        if (!System.Text.Unicode.Utf8.IsValid(_replacements))
            throw Wrong("got replacements that are not UTF-8.");

        for (int code = 0; code < _ascii.Length; code++)
            _ascii[code] = Find([(char)code], shortest: true, out _);
    }

    /// <summary>Whether an ASCII character stays as it is when it stands alone.</summary>
    public bool Keeps(char ascii) => _ascii[ascii] is null;

    /// <summary>What the longest entry that a text begins with becomes, and its UTF-16 units; null if there is none.</summary>
    public string? Longest(ReadOnlySpan<char> text, out int length) => Find(text, shortest: false, out length);

    /// <summary>What the shortest entry that a text begins with becomes; null if there is none.</summary>
    public string? Shortest(ReadOnlySpan<char> text) => Find(text, shortest: true, out _);

    private string? Find(ReadOnlySpan<char> text, bool shortest, out int length)
    {
        Span<byte> utf8 = stackalloc byte[4];
        uint unit = _nodes[0];
        uint place = Offset(unit);
        uint? leaf = null;
        length = 0;
        for (int position = 0; position < text.Length;)
        {
            Rune.DecodeFromUtf16(text[position..], out Rune rune, out int units);
            position += units;
            foreach (byte value in utf8[..rune.EncodeToUtf8(utf8)])
            {
                place ^= value;
                unit = Node(place);
                if (value == 0 || (unit & 0x800000FF) != value)
                    return Replacement(leaf);

                place ^= Offset(unit);
                if ((unit & 0x100) == 0)
                    continue;

                (leaf, length) = (Node(place) & 0x7FFFFFFF, position);
                if (shortest)
                    return Replacement(leaf);
            }
        }

        return Replacement(leaf);
    }

    private static uint Offset(uint unit) => (unit >> 10) << (int)((unit & 0x200) >> 6);

    private uint Node(uint place) => place < (uint)_nodes.Length ? _nodes[place] : throw Wrong($"got a node that points to node {place}; the tree has {_nodes.Length}.");

    private string? Replacement(uint? leaf)
    {
        if (leaf is not { } start)
            return null;

        if (start > (uint)_replacements.Length)
            throw Wrong($"got a leaf that points to byte {start} of {_replacements.Length} bytes of replacements.");

        ReadOnlySpan<byte> rest = _replacements.AsSpan((int)start);
        int end = rest.IndexOf((byte)0);
        return Encoding.UTF8.GetString(end < 0 ? rest : rest[..end]);
    }

    private TokenizerFormatException Wrong(string problem) => new(_source, _place, problem);
}
