using System.Numerics;

namespace Federated.Client.Training;

/// <summary>Puts rows together into blocks of bounded length, so that batches of blocks do equal work however short the rows are.</summary>
/// <remarks>
/// Best fit decreasing: rows are taken from the longest to the shortest, and each goes into the fullest block that still has room, as in Ding et
/// al., "Fewer Truncations Improve Language Modeling", ICML 2024, section 3. Rows stay rows: attention never crosses from one to another.
/// Equal lengths are taken in their order, so the result depends on the lengths alone.
/// </remarks>
public static class BlockPacker
{
    /// <summary>Packs rows.</summary>
    /// <param name="lengths">Length of each row, 1 or more.</param>
    /// <param name="capacity">Length of a block; a longer row is a block of its own.</param>
    /// <returns>The rows of each block by number, ascending, each row once; blocks in the order of their first rows.</returns>
    public static IReadOnlyList<int[]> Pack(IReadOnlyList<int> lengths, int capacity)
    {
        ArgumentNullException.ThrowIfNull(lengths);
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, 1);
        List<List<int>> blocks = [];
        OpenBlocks open = new(capacity);
        foreach (int row in Enumerable.Range(0, lengths.Count).OrderByDescending(row => lengths[row]))
        {
            if (!open.TryTake(lengths[row], out int block, out int room))
            {
                (block, room) = (blocks.Count, Math.Max(capacity, lengths[row]));
                blocks.Add([]);
            }

            blocks[block].Add(row);
            open.Put(block, room - lengths[row]);
        }

        int[][] packed = [.. blocks.Select(block => block.Order().ToArray())];
        Array.Sort(packed, (one, other) => one[0].CompareTo(other[0]));
        return packed;
    }

    /// <summary>Blocks by the room that is left in them; a bit for each room that some block has finds the next larger one.</summary>
    private sealed class OpenBlocks(int capacity)
    {
        private readonly Stack<int>?[] _byRoom = new Stack<int>?[capacity + 1];
        private readonly ulong[] _rooms = new ulong[(capacity >> 6) + 1];

        public void Put(int block, int room)
        {
            if (room == 0)
                return;

            (_byRoom[room] ??= new()).Push(block);
            _rooms[room >> 6] |= 1UL << room;
        }

        public bool TryTake(int length, out int block, out int room)
        {
            (block, room) = (-1, -1);
            for (int word = length >> 6; word < _rooms.Length; word++)
            {
                ulong rooms = _rooms[word] & (word == length >> 6 ? ulong.MaxValue << length : ulong.MaxValue);
                if (rooms == 0)
                    continue;

                room = (word << 6) + BitOperations.TrailingZeroCount(rooms);
                block = _byRoom[room]!.Pop();
                if (_byRoom[room]!.Count == 0)
                    _rooms[word] &= ~(1UL << room);
                return true;
            }

            return false;
        }
    }
}
