namespace MessagePack;

/// <summary>Bytes or a value that cannot be read or written.</summary>
[Serializable]
public class MessagePackSerializationException : Exception
{
    public MessagePackSerializationException()
    {
    }

    public MessagePackSerializationException(string? message)
        : base(message)
    {
    }

    public MessagePackSerializationException(string? message, Exception? inner)
        : base(message, inner)
    {
    }
}

/// <summary>No formatter is known for a type.</summary>
[Serializable]
public class FormatterNotRegisteredException : MessagePackSerializationException
{
    public FormatterNotRegisteredException(string? message)
        : base(message)
    {
    }
}
