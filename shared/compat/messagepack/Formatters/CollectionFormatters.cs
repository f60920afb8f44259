namespace MessagePack.Formatters;

/// <summary>An array of values for every list-like type; <paramref name="complete"/> makes the type from the values read.</summary>
internal sealed class SequenceFormatter<T, TCollection>(Func<T[], TCollection> complete) : IMessagePackFormatter<TCollection?>
    where TCollection : class, IReadOnlyCollection<T>
{
    public void Serialize(ref MessagePackWriter writer, TCollection? value, MessagePackSerializerOptions options)
    {
        if (value is null)
        {
            writer.WriteNil();
            return;
        }

        IMessagePackFormatter<T> element = options.Resolver.GetFormatterWithVerify<T>();
        writer.WriteArrayHeader(value.Count);
        foreach (T item in value)
        {
            writer.CancellationToken.ThrowIfCancellationRequested();
            element.Serialize(ref writer, item, options);
        }
    }

    public TCollection? Deserialize(ref MessagePackReader reader, MessagePackSerializerOptions options)
    {
        if (reader.TryReadNil())
            return null;

        int count = reader.ReadArrayHeader();
        if (count == 0)
            return complete([]);

        IMessagePackFormatter<T> element = options.Resolver.GetFormatterWithVerify<T>();
        T[] items = new T[count];
        options.Security.DepthStep(ref reader);
        for (int i = 0; i < items.Length; i++)
        {
            reader.CancellationToken.ThrowIfCancellationRequested();
            items[i] = element.Deserialize(ref reader, options);
        }

        reader.Depth--;
        return complete(items);
    }
}

/// <summary>A map for every dictionary type; a key that occurs twice is refused.</summary>
internal sealed class MapFormatter<TKey, TValue, TMap>(Func<Dictionary<TKey, TValue>, TMap> complete) : IMessagePackFormatter<TMap?>
    where TKey : notnull
    where TMap : class, IEnumerable<KeyValuePair<TKey, TValue>>
{
    public void Serialize(ref MessagePackWriter writer, TMap? value, MessagePackSerializerOptions options)
    {
        if (value is null)
        {
            writer.WriteNil();
            return;
        }

        IMessagePackFormatter<TKey> key = options.Resolver.GetFormatterWithVerify<TKey>();
        IMessagePackFormatter<TValue> element = options.Resolver.GetFormatterWithVerify<TValue>();
        writer.WriteMapHeader(value.Count());
        foreach (KeyValuePair<TKey, TValue> item in value)
        {
            writer.CancellationToken.ThrowIfCancellationRequested();
            key.Serialize(ref writer, item.Key, options);
            element.Serialize(ref writer, item.Value, options);
        }
    }

    public TMap? Deserialize(ref MessagePackReader reader, MessagePackSerializerOptions options)
    {
        if (reader.TryReadNil())
            return null;

        IMessagePackFormatter<TKey> key = options.Resolver.GetFormatterWithVerify<TKey>();
        IMessagePackFormatter<TValue> element = options.Resolver.GetFormatterWithVerify<TValue>();
        int count = reader.ReadMapHeader();
        Dictionary<TKey, TValue> map = new(count, options.Security.GetEqualityComparer<TKey>());
        options.Security.DepthStep(ref reader);
        for (int i = 0; i < count; i++)
        {
            reader.CancellationToken.ThrowIfCancellationRequested();
            TKey name = key.Deserialize(ref reader, options);
            map.Add(name, element.Deserialize(ref reader, options));
        }

        reader.Depth--;
        return complete(map);
    }
}
