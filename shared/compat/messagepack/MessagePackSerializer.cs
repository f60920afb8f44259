using System.Buffers;

namespace MessagePack;

/// <summary>Whole values to bytes and back. Every failure is a <see cref="MessagePackSerializationException"/> with its cause inside.</summary>
public static class MessagePackSerializer
{
    private const int KeptBufferBytes = 1 << 20;

    [ThreadStatic]
    private static ArrayBufferWriter<byte>? t_scratch;

    private static MessagePackSerializerOptions? s_defaultOptions;

    public static MessagePackSerializerOptions DefaultOptions
    {
        get => s_defaultOptions ?? MessagePackSerializerOptions.Standard;
        set => s_defaultOptions = value;
    }

    public static void Serialize<T>(IBufferWriter<byte> writer, T value, MessagePackSerializerOptions? options = null, CancellationToken cancellationToken = default)
    {
        MessagePackWriter messagePackWriter = new(writer) { CancellationToken = cancellationToken };
        Serialize(ref messagePackWriter, value, options);
        messagePackWriter.Flush();
    }

    public static void Serialize<T>(ref MessagePackWriter writer, T value, MessagePackSerializerOptions? options = null)
    {
        options ??= DefaultOptions;
        try
        {
            options.Resolver.GetFormatterWithVerify<T>().Serialize(ref writer, value, options);
        }
        catch (Exception error)
        {
            throw new MessagePackSerializationException($"Failed to serialize {typeof(T).FullName} value.", error);
        }
    }

    public static byte[] Serialize<T>(T value, MessagePackSerializerOptions? options = null, CancellationToken cancellationToken = default)
    {
        // Taken away while in use: a formatter may itself call Serialize.
        ArrayBufferWriter<byte> scratch = t_scratch ?? new ArrayBufferWriter<byte>(4096);
        t_scratch = null;
        try
        {
            Serialize(scratch, value, options, cancellationToken);
            return scratch.WrittenSpan.ToArray();
        }
        finally
        {
            scratch.ResetWrittenCount();
            if (scratch.Capacity <= KeptBufferBytes)
                t_scratch = scratch;
        }
    }

    public static T Deserialize<T>(in ReadOnlySequence<byte> byteSequence, MessagePackSerializerOptions? options = null, CancellationToken cancellationToken = default)
    {
        MessagePackReader reader = new(byteSequence) { CancellationToken = cancellationToken };
        return Deserialize<T>(ref reader, options);
    }

    public static T Deserialize<T>(ReadOnlyMemory<byte> buffer, MessagePackSerializerOptions? options = null, CancellationToken cancellationToken = default)
    {
        MessagePackReader reader = new(buffer) { CancellationToken = cancellationToken };
        return Deserialize<T>(ref reader, options);
    }

    public static T Deserialize<T>(ReadOnlyMemory<byte> buffer, MessagePackSerializerOptions? options, out int bytesRead, CancellationToken cancellationToken = default)
    {
        MessagePackReader reader = new(buffer) { CancellationToken = cancellationToken };
        T value = Deserialize<T>(ref reader, options);
        bytesRead = (int)reader.Consumed;
        return value;
    }

    public static T Deserialize<T>(ref MessagePackReader reader, MessagePackSerializerOptions? options = null)
    {
        options ??= DefaultOptions;
        try
        {
            return options.Resolver.GetFormatterWithVerify<T>().Deserialize(ref reader, options);
        }
        catch (Exception error)
        {
            throw new MessagePackSerializationException($"Failed to deserialize {typeof(T).FullName} value.", error);
        }
    }
}
