using System.Buffers;

namespace MessagePack.Formatters;

/// <summary>The formatters of single values.</summary>
internal static class PrimitiveFormatters
{
    public static readonly IReadOnlyDictionary<Type, IMessagePackFormatter> All = new Dictionary<Type, IMessagePackFormatter>
    {
        [typeof(bool)] = new Primitive<bool>((ref w, v) => w.Write(v), (ref r) => r.ReadBoolean()),
        [typeof(byte)] = new Primitive<byte>((ref w, v) => w.Write(v), (ref r) => r.ReadByte()),
        [typeof(sbyte)] = new Primitive<sbyte>((ref w, v) => w.Write(v), (ref r) => r.ReadSByte()),
        [typeof(short)] = new Primitive<short>((ref w, v) => w.Write(v), (ref r) => r.ReadInt16()),
        [typeof(ushort)] = new Primitive<ushort>((ref w, v) => w.Write(v), (ref r) => r.ReadUInt16()),
        [typeof(int)] = new Primitive<int>((ref w, v) => w.Write(v), (ref r) => r.ReadInt32()),
        [typeof(uint)] = new Primitive<uint>((ref w, v) => w.Write(v), (ref r) => r.ReadUInt32()),
        [typeof(long)] = new Primitive<long>((ref w, v) => w.Write(v), (ref r) => r.ReadInt64()),
        [typeof(ulong)] = new Primitive<ulong>((ref w, v) => w.Write(v), (ref r) => r.ReadUInt64()),
        [typeof(char)] = new Primitive<char>((ref w, v) => w.Write(v), (ref r) => r.ReadChar()),
        [typeof(float)] = new Primitive<float>((ref w, v) => w.Write(v), (ref r) => r.ReadSingle()),
        [typeof(double)] = new Primitive<double>((ref w, v) => w.Write(v), (ref r) => r.ReadDouble()),
        [typeof(string)] = new Primitive<string?>((ref w, v) => w.Write(v), (ref r) => r.ReadString()),
        [typeof(byte[])] = new Primitive<byte[]?>((ref w, v) => w.Write(v), (ref r) => r.ReadBytes()?.ToArray()),
        [typeof(ReadOnlyMemory<byte>)] = new Primitive<ReadOnlyMemory<byte>>((ref w, v) => w.Write(v.Span), (ref r) => r.ReadBytes()?.ToArray()),
        [typeof(Memory<byte>)] = new Primitive<Memory<byte>>((ref w, v) => w.Write(v.Span), (ref r) => r.ReadBytes()?.ToArray()),
        [typeof(ReadOnlySequence<byte>)] = new Primitive<ReadOnlySequence<byte>>(
            (ref w, v) => w.Write(v), (ref r) => r.ReadBytes() is { } bytes ? new(bytes.ToArray()) : default),
    };

    private delegate void Writing<T>(ref MessagePackWriter writer, T value);

    private delegate T Reading<T>(ref MessagePackReader reader);

    private sealed class Primitive<T>(Writing<T> write, Reading<T> read) : IMessagePackFormatter<T>
    {
        public void Serialize(ref MessagePackWriter writer, T value, MessagePackSerializerOptions options) => write(ref writer, value);

        public T Deserialize(ref MessagePackReader reader, MessagePackSerializerOptions options) => read(ref reader);
    }
}

/// <summary>Nil or a value.</summary>
internal sealed class NullableFormatter<T> : IMessagePackFormatter<T?>
    where T : struct
{
    public void Serialize(ref MessagePackWriter writer, T? value, MessagePackSerializerOptions options)
    {
        if (value is { } given)
            options.Resolver.GetFormatterWithVerify<T>().Serialize(ref writer, given, options);
        else
            writer.WriteNil();
    }

    public T? Deserialize(ref MessagePackReader reader, MessagePackSerializerOptions options) =>
        reader.TryReadNil() ? null : options.Resolver.GetFormatterWithVerify<T>().Deserialize(ref reader, options);
}

/// <summary>An enumeration as the number behind it. Numbers without a name pass: the receiver checks.</summary>
internal sealed class EnumFormatter<TEnum, TNumber> : IMessagePackFormatter<TEnum>
    where TEnum : struct, Enum
    where TNumber : struct
{
    public void Serialize(ref MessagePackWriter writer, TEnum value, MessagePackSerializerOptions options) =>
        options.Resolver.GetFormatterWithVerify<TNumber>().Serialize(ref writer, System.Runtime.CompilerServices.Unsafe.BitCast<TEnum, TNumber>(value), options);

    public TEnum Deserialize(ref MessagePackReader reader, MessagePackSerializerOptions options) =>
        System.Runtime.CompilerServices.Unsafe.BitCast<TNumber, TEnum>(options.Resolver.GetFormatterWithVerify<TNumber>().Deserialize(ref reader, options));
}
