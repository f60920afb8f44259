using System.Buffers;
using System.Text;

namespace MessagePack;

/// <summary>
/// Reads MessagePack from memory. Declared lengths are held against the bytes left before anything is allocated;
/// numbers are taken from any width and checked against the range of the type asked for.
/// </summary>
/// <remarks>Too few bytes: <see cref="EndOfStreamException"/>. Another kind of value: <see cref="MessagePackSerializationException"/>. Out of range: <see cref="OverflowException"/>.</remarks>
public ref partial struct MessagePackReader
{
    private SequenceReader<byte> _reader;

    public MessagePackReader(ReadOnlyMemory<byte> memory) => _reader = new(new ReadOnlySequence<byte>(memory));

    public MessagePackReader(scoped in ReadOnlySequence<byte> readOnlySequence) => _reader = new(readOnlySequence);

    public CancellationToken CancellationToken { get; set; }

    public int Depth { get; set; }

    public readonly ReadOnlySequence<byte> Sequence => _reader.Sequence;

    public readonly SequencePosition Position => _reader.Position;

    public readonly long Consumed => _reader.Consumed;

    public readonly bool End => _reader.End;

    public readonly bool IsNil => NextCode == MessagePackCode.Nil;

    public readonly byte NextCode => _reader.TryPeek(out byte code) ? code : throw Insufficient();

    public readonly MessagePackType NextMessagePackType => MessagePackCode.ToMessagePackType(NextCode);

    public readonly MessagePackReader CreatePeekReader() => this;

    public Nil ReadNil() => TryReadNil() ? Nil.Default : throw InvalidCode(NextCode);

    public bool TryReadNil()
    {
        if (!IsNil)
            return false;

        _reader.Advance(1);
        return true;
    }

    public bool ReadBoolean()
    {
        byte code = NextCode;
        if (code is not (MessagePackCode.True or MessagePackCode.False))
            throw InvalidCode(code);

        _reader.Advance(1);
        return code == MessagePackCode.True;
    }

    public ReadOnlySequence<byte>? ReadBytes()
    {
        if (TryReadNil())
            return null;

        byte code = NextCode;
        long length = code switch
        {
            MessagePackCode.Bin8 => ReadLength(1),
            MessagePackCode.Bin16 => ReadLength(2),
            MessagePackCode.Bin32 => ReadLength(4),
            // Old writers had no bin: the official reader takes str here too.
            _ => ReadStringLength(),
        };
        return ReadRaw(length);
    }

    public ReadOnlySequence<byte>? ReadStringSequence() => TryReadNil() ? null : ReadRaw(ReadStringLength());

    public string? ReadString() => ReadStringSequence() is { } utf8 ? Encoding.UTF8.GetString(utf8) : null;

    public int ReadArrayHeader()
    {
        byte code = NextCode;
        long count = code switch
        {
            >= MessagePackCode.MinFixArray and <= MessagePackCode.MaxFixArray => ReadFixLength(0x0f),
            MessagePackCode.Array16 => ReadLength(2),
            MessagePackCode.Array32 => ReadLength(4),
            _ => throw InvalidCode(code),
        };

        // The shortest element has one byte: a header that promises more elements than bytes is a lie.
        return _reader.Remaining >= count ? checked((int)count) : throw Insufficient();
    }

    public int ReadMapHeader()
    {
        long count = ReadMapLength();
        return _reader.Remaining >= count * 2 ? checked((int)count) : throw Insufficient();
    }

    public ReadOnlySequence<byte> ReadRaw(long length)
    {
        if (length < 0 || _reader.Remaining < length)
            throw Insufficient();

        ReadOnlySequence<byte> raw = _reader.Sequence.Slice(_reader.Position, length);
        _reader.Advance(length);
        return raw;
    }

    public ReadOnlySequence<byte> ReadRaw()
    {
        SequencePosition start = _reader.Position;
        Skip();
        return _reader.Sequence.Slice(start, _reader.Position);
    }

    /// <summary>Passes over the next value with all that it contains; counts instead of recursing, so depth costs nothing.</summary>
    public void Skip()
    {
        for (long left = 1; left > 0; left--)
        {
            byte code = NextCode;
            switch (MessagePackCode.ToMessagePackType(code))
            {
                case MessagePackType.Array:
                    left += ReadArrayHeader();
                    break;
                case MessagePackType.Map:
                    left += 2L * ReadMapHeader();
                    break;
                case MessagePackType.String:
                    ReadStringSequence();
                    break;
                case MessagePackType.Binary:
                    ReadBytes();
                    break;
                case MessagePackType.Extension:
                    // One byte of extension type follows the length, or the code itself for the fixed lengths.
                    ReadRaw(1 + code switch
                    {
                        MessagePackCode.Ext8 => ReadLength(1),
                        MessagePackCode.Ext16 => ReadLength(2),
                        MessagePackCode.Ext32 => ReadLength(4),
                        _ => ReadFixLength(0) + (1L << (code - MessagePackCode.FixExt1)),
                    });
                    break;
                case MessagePackType.Unknown:
                    throw InvalidCode(code);
                default:
                    ReadRaw(FixedSize(code));
                    break;
            }
        }
    }

    private static int FixedSize(byte code) => code switch
    {
        MessagePackCode.UInt8 or MessagePackCode.Int8 => 2,
        MessagePackCode.UInt16 or MessagePackCode.Int16 => 3,
        MessagePackCode.UInt32 or MessagePackCode.Int32 or MessagePackCode.Float32 => 5,
        MessagePackCode.UInt64 or MessagePackCode.Int64 or MessagePackCode.Float64 => 9,
        _ => 1,
    };

    private long ReadMapLength()
    {
        byte code = NextCode;
        return code switch
        {
            >= MessagePackCode.MinFixMap and <= MessagePackCode.MaxFixMap => ReadFixLength(0x0f),
            MessagePackCode.Map16 => ReadLength(2),
            MessagePackCode.Map32 => ReadLength(4),
            _ => throw InvalidCode(code),
        };
    }

    private long ReadStringLength()
    {
        byte code = NextCode;
        return code switch
        {
            >= MessagePackCode.MinFixStr and <= MessagePackCode.MaxFixStr => ReadFixLength(0x1f),
            MessagePackCode.Str8 => ReadLength(1),
            MessagePackCode.Str16 => ReadLength(2),
            MessagePackCode.Str32 => ReadLength(4),
            _ => throw InvalidCode(code),
        };
    }

    private long ReadFixLength(int mask)
    {
        long length = NextCode & mask;
        _reader.Advance(1);
        return length;
    }

    /// <summary>Passes the code and reads the length that follows it.</summary>
    private long ReadLength(int bytes) => (long)ReadBigEndian(bytes);

    /// <summary>Passes the code and reads the number of 1 to 8 bytes that follows it.</summary>
    private ulong ReadBigEndian(int bytes)
    {
        if (_reader.Remaining < 1 + bytes)
            throw Insufficient();

        _reader.Advance(1);
        ulong value = 0;
        for (int i = 0; i < bytes; i++)
        {
            _reader.TryRead(out byte next);
            value = (value << 8) | next;
        }

        return value;
    }

    private static EndOfStreamException Insufficient() => new("The bytes end before the value that they declare.");

    private static MessagePackSerializationException InvalidCode(byte code) =>
        new($"Unexpected MessagePack code 0x{code:x2} ({MessagePackCode.ToMessagePackType(code)}).");
}
