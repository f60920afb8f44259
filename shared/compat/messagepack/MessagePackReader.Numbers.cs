namespace MessagePack;

public ref partial struct MessagePackReader
{
    public byte ReadByte() => checked((byte)ReadUInt64());

    public ushort ReadUInt16() => checked((ushort)ReadUInt64());

    public uint ReadUInt32() => checked((uint)ReadUInt64());

    public ulong ReadUInt64()
    {
        ulong bits = ReadInteger(out bool negative);
        return negative ? throw new OverflowException("A negative number where an unsigned one is wanted.") : bits;
    }

    public sbyte ReadSByte() => checked((sbyte)ReadInt64());

    public short ReadInt16() => checked((short)ReadInt64());

    public int ReadInt32() => checked((int)ReadInt64());

    public long ReadInt64()
    {
        ulong bits = ReadInteger(out bool negative);
        return negative ? unchecked((long)bits) : checked((long)bits);
    }

    public char ReadChar() => (char)ReadUInt16();

    public float ReadSingle() => NextCode == MessagePackCode.Float32
        ? BitConverter.UInt32BitsToSingle((uint)ReadBigEndian(4))
        : (float)ReadDouble();

    public double ReadDouble()
    {
        switch (NextCode)
        {
            case MessagePackCode.Float32:
                return BitConverter.UInt32BitsToSingle((uint)ReadBigEndian(4));
            case MessagePackCode.Float64:
                return BitConverter.UInt64BitsToDouble(ReadBigEndian(8));
            default:
                ulong bits = ReadInteger(out bool negative);
                return negative ? unchecked((long)bits) : bits;
        }
    }

    /// <summary>Any integer: its value as 64 bits, two's complement when negative.</summary>
    private ulong ReadInteger(out bool negative)
    {
        byte code = NextCode;
        long value;
        switch (code)
        {
            case <= MessagePackCode.MaxFixInt:
                negative = false;
                _reader.Advance(1);
                return code;
            case MessagePackCode.UInt8 or MessagePackCode.UInt16 or MessagePackCode.UInt32 or MessagePackCode.UInt64:
                negative = false;
                return ReadBigEndian(FixedSize(code) - 1);
            case >= MessagePackCode.MinNegativeFixInt:
                _reader.Advance(1);
                value = unchecked((sbyte)code);
                break;
            case MessagePackCode.Int8: value = unchecked((sbyte)ReadBigEndian(1)); break;
            case MessagePackCode.Int16: value = unchecked((short)ReadBigEndian(2)); break;
            case MessagePackCode.Int32: value = unchecked((int)ReadBigEndian(4)); break;
            case MessagePackCode.Int64: value = unchecked((long)ReadBigEndian(8)); break;
            default: throw InvalidCode(code);
        }

        negative = value < 0;
        return unchecked((ulong)value);
    }
}
