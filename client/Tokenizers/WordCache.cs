using System.Runtime.InteropServices;

namespace Federated.Client.Tokenizers;

/// <summary>Remembers the ids of short pieces: text repeats its words. Fixed memory, about 3 MB; when it is full it starts afresh.</summary>
/// <remarks>A hash table of fixed probe length, so that words chosen to collide cost no more than not being remembered.</remarks>
internal sealed class WordCache
{
    /// <summary>UTF-16 units of the longest piece that is remembered.</summary>
    public const int MaxLength = 48;

    private const int SlotBits = 16;
    private const int Probes = 8;
    private const int CharCapacity = 1 << 19;
    private const int IdCapacity = 1 << 18;

    private readonly Slot[] _slots = new Slot[1 << SlotBits];
    private readonly char[] _chars = new char[CharCapacity];
    private readonly int[] _ids = new int[IdCapacity];
    private int _charCount;
    private int _idCount;

    /// <summary>Appends the remembered ids of a piece.</summary>
    /// <param name="piece">At most <see cref="MaxLength"/> long.</param>
    /// <param name="ids">Appended to when found.</param>
    /// <param name="hash">To be handed to <see cref="Add"/> when not found.</param>
    public bool TryGet(ReadOnlySpan<char> piece, List<int> ids, out ulong hash)
    {
        hash = Hash(piece);
        int index = (int)(hash >> (64 - SlotBits));
        for (int probe = 0; probe < Probes; probe++)
        {
            ref readonly Slot slot = ref _slots[(index + probe) & ((1 << SlotBits) - 1)];
            if (slot.Length == 0)
                return false;

            if (slot.Tag == (uint)hash && slot.Length == piece.Length && piece.SequenceEqual(_chars.AsSpan(slot.CharStart, slot.Length)))
            {
                Append(ids, slot);
                return true;
            }
        }

        return false;
    }

    /// <summary>Remembers a piece, not empty, unless its places are taken.</summary>
    public void Add(ReadOnlySpan<char> piece, ulong hash, ReadOnlySpan<int> ids)
    {
        if (_charCount + piece.Length > CharCapacity || _idCount + ids.Length > IdCapacity)
        {
            Array.Clear(_slots);
            (_charCount, _idCount) = (0, 0);
        }

        int index = (int)(hash >> (64 - SlotBits));
        for (int probe = 0; probe < Probes; probe++)
        {
            ref Slot slot = ref _slots[(index + probe) & ((1 << SlotBits) - 1)];
            if (slot.Length != 0)
                continue;

            slot = new Slot((uint)hash, _charCount, _idCount, (ushort)piece.Length, (ushort)ids.Length);
            piece.CopyTo(_chars.AsSpan(_charCount));
            ids.CopyTo(_ids.AsSpan(_idCount));
            _charCount += piece.Length;
            _idCount += ids.Length;
            return;
        }
    }

    private void Append(List<int> ids, in Slot slot)
    {
        if (slot.IdCount == 1)
            ids.Add(_ids[slot.IdStart]);
        else
            ids.AddRange(_ids.AsSpan(slot.IdStart, slot.IdCount));
    }

    private static ulong Hash(ReadOnlySpan<char> piece)
    {
        ReadOnlySpan<byte> bytes = MemoryMarshal.AsBytes(piece);
        ulong hash = (ulong)bytes.Length;
        while (bytes.Length >= 8)
        {
            hash = Mix(hash ^ MemoryMarshal.Read<ulong>(bytes));
            bytes = bytes[8..];
        }

        ulong rest = 0;
        for (int i = 0; i < bytes.Length; i += 2)
            rest = (rest << 16) | MemoryMarshal.Read<ushort>(bytes[i..]);

        return Mix(hash ^ rest);
    }

    /// <summary>The two halves of a 128-bit product, folded: every input bit reaches every output bit.</summary>
    private static ulong Mix(ulong value)
    {
        ulong high = Math.BigMul(value ^ 0x9E3779B97F4A7C15, 0xD6E8FEB86659FD93, out ulong low);
        return high ^ low;
    }

    private readonly record struct Slot(uint Tag, int CharStart, int IdStart, ushort Length, ushort IdCount);
}
