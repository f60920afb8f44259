using static TorchSharp.torch;

namespace TorchSharp;

public static class TensorExtensionMethods
{
    /// <summary>Bytes of one element.</summary>
    public static int ElementSize(this ScalarType type) => type switch
    {
        ScalarType.Byte or ScalarType.Int8 or ScalarType.Bool => 1,
        ScalarType.Int16 or ScalarType.Float16 or ScalarType.BFloat16 => 2,
        ScalarType.Int32 or ScalarType.Float32 => 4,
        ScalarType.Int64 or ScalarType.Float64 => 8,
        _ => throw new NotImplementedException($"Element type {type} is not supported."),
    };

    internal static Type? ManagedType(this ScalarType type) => type switch
    {
        ScalarType.Byte => typeof(byte),
        ScalarType.Int8 => typeof(sbyte),
        ScalarType.Int16 => typeof(short),
        ScalarType.Int32 => typeof(int),
        ScalarType.Int64 => typeof(long),
        ScalarType.Float16 => typeof(Half),
        ScalarType.Float32 => typeof(float),
        ScalarType.Float64 => typeof(double),
        ScalarType.Bool => typeof(bool),
        _ => null,
    };

    /// <summary>Takes over the tensor as a parameter that wants gradients.</summary>
    public static Modules.Parameter AsParameter(this Tensor tensor) => new(tensor);

    public static float ToSingle(this Tensor value) => (float)value.ToScalar().Number;

    public static double ToDouble(this Tensor value) => value.ToScalar().Number;

    public static sbyte ToSByte(this Tensor value) => value.ToScalar().ToSByte();

    public static byte ToByte(this Tensor value) => value.ToScalar().ToByte();

    public static short ToInt16(this Tensor value) => value.ToScalar().ToInt16();

    public static int ToInt32(this Tensor value) => value.ToScalar().ToInt32();

    public static long ToInt64(this Tensor value) => value.ToScalar().ToInt64();

    public static Half ToHalf(this Tensor value) => value.ToScalar().ToHalf();

    public static bool ToBoolean(this Tensor value) => value.ToScalar().ToBoolean();

    /// <summary>Writes dtype, rank and sizes as LEB128, then the raw little-endian elements: TorchSharp's own format.</summary>
    public static void Save(this Tensor tensor, BinaryWriter writer)
    {
        writer.Write7BitEncodedInt64((long)tensor.dtype);
        long[] shape = tensor.shape;
        writer.Write7BitEncodedInt64(shape.Length);
        foreach (long size in shape) writer.Write7BitEncodedInt64(size);
        writer.Flush();
        tensor.WriteBytesToStream(writer.BaseStream);
    }

    /// <summary>Reads what <see cref="Save(Tensor, BinaryWriter)"/> wrote into this tensor, which has that type and shape.</summary>
    public static void Load(this Tensor tensor, BinaryReader reader, bool skip = false)
    {
        (ScalarType dtype, long[] shape) = ReadHeader(reader);
        if (!skip && (dtype != tensor.dtype || !shape.AsSpan().SequenceEqual(tensor.shape)))
            throw new ArgumentException($"The stream holds {dtype} [{string.Join(", ", shape)}], the tensor is {tensor.dtype} [{string.Join(", ", tensor.shape)}].");
        if (skip) Skip(reader, dtype, shape);
        else ReadElements(tensor, reader);
    }

    /// <summary>Reads a new tensor, or passes over one and returns null.</summary>
    public static Tensor Load(BinaryReader reader, bool skip = false)
    {
        (ScalarType dtype, long[] shape) = ReadHeader(reader);
        if (skip)
        {
            Skip(reader, dtype, shape);
            return null!;
        }

        Tensor tensor = empty(shape, dtype: dtype);
        ReadElements(tensor, reader);
        return tensor;
    }

    private static void ReadElements(Tensor tensor, BinaryReader reader)
    {
        using (no_grad()) tensor.ReadBytesFromStream(reader.BaseStream);
    }

    private static (ScalarType Dtype, long[] Shape) ReadHeader(BinaryReader reader)
    {
        const int MostDimensions = 64;
        ScalarType dtype = (ScalarType)reader.Read7BitEncodedInt64();
        if (!Enum.IsDefined(dtype)) throw new InvalidDataException($"The stream names element type {(int)dtype}, which does not exist.");
        long rank = reader.Read7BitEncodedInt64();
        if (rank is < 0 or > MostDimensions) throw new InvalidDataException($"The stream names {rank} dimensions; at most {MostDimensions} are possible.");
        long[] shape = new long[rank];
        for (int i = 0; i < shape.Length; i++) shape[i] = reader.Read7BitEncodedInt64();
        RequireEnough(reader, dtype, shape);
        return (dtype, shape);
    }

    // Before anything is allocated: a few bytes can name a tensor of any size.
    private static void RequireEnough(BinaryReader reader, ScalarType dtype, long[] shape)
    {
        long bytes = dtype.ElementSize();
        foreach (long size in shape)
        {
            if (size < 0) throw new InvalidDataException($"The stream names a dimension of size {size}.");
            bytes = checked(bytes * size);
        }

        if (reader.BaseStream.CanSeek && bytes > reader.BaseStream.Length - reader.BaseStream.Position)
            throw new EndOfStreamException($"A tensor of {bytes} bytes is named but {reader.BaseStream.Length - reader.BaseStream.Position} are left.");
    }

    private static void Skip(BinaryReader reader, ScalarType dtype, long[] shape)
    {
        long left = shape.Aggregate((long)dtype.ElementSize(), (bytes, size) => checked(bytes * size));
        byte[] buffer = new byte[Math.Min(left, 1 << 16)];
        for (; left > 0; left -= Math.Min(left, buffer.Length)) reader.BaseStream.ReadExactly(buffer.AsSpan(0, (int)Math.Min(left, buffer.Length)));
    }
}
