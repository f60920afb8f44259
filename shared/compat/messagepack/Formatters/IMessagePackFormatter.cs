namespace MessagePack.Formatters;

/// <summary>Common base of all formatters.</summary>
public interface IMessagePackFormatter
{
}

/// <summary>Writes and reads values of one type.</summary>
public interface IMessagePackFormatter<T> : IMessagePackFormatter
{
    void Serialize(ref MessagePackWriter writer, T value, MessagePackSerializerOptions options);

    T Deserialize(ref MessagePackReader reader, MessagePackSerializerOptions options);
}
