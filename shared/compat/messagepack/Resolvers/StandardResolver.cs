using System.Reflection;
using MessagePack.Formatters;

namespace MessagePack.Resolvers;

/// <summary>Primitives, byte blocks, nullables, enumerations, lists, dictionaries and [MessagePackObject] types.</summary>
public sealed class StandardResolver : IFormatterResolver
{
    public static readonly StandardResolver Instance = new();

    private StandardResolver()
    {
    }

    public IMessagePackFormatter<T>? GetFormatter<T>() => Cache<T>.Formatter;

    private static IMessagePackFormatter? Make(Type type)
    {
        if (PrimitiveFormatters.All.TryGetValue(type, out IMessagePackFormatter? primitive))
            return primitive;
        if (type.IsEnum)
            return New(typeof(EnumFormatter<,>), [type, type.GetEnumUnderlyingType()]);
        if (Nullable.GetUnderlyingType(type) is { } inner)
            return New(typeof(NullableFormatter<>), [inner]);
        if (type.IsSZArray)
            return Collection(nameof(Array), type.GetElementType()!);
        if (type.IsGenericType && MakeGeneric(type.GetGenericTypeDefinition(), type.GetGenericArguments()) is { } collection)
            return collection;

        return type.GetCustomAttribute<MessagePackObjectAttribute>(true) is { } contract
            ? New(typeof(ObjectFormatter<>), [type], contract.KeyAsPropertyName)
            : null;
    }

    private static IMessagePackFormatter? MakeGeneric(Type definition, Type[] arguments)
    {
        if (definition == typeof(List<>))
            return Collection(nameof(List), arguments);
        if (definition == typeof(IReadOnlyList<>))
            return Collection(nameof(ReadOnlyList), arguments);
        if (definition == typeof(Dictionary<,>))
            return Collection(nameof(Dictionary), arguments);
        return definition == typeof(IReadOnlyDictionary<,>) ? Collection(nameof(ReadOnlyDictionary), arguments) : null;
    }

    private static IMessagePackFormatter Collection(string method, params Type[] arguments) =>
        (IMessagePackFormatter)typeof(StandardResolver).GetMethod(method, BindingFlags.NonPublic | BindingFlags.Static)!
            .MakeGenericMethod(arguments).Invoke(null, null)!;

    private static SequenceFormatter<T, T[]> Array<T>() => new(items => items);

    private static SequenceFormatter<T, List<T>> List<T>() => new(items => [.. items]);

    private static SequenceFormatter<T, IReadOnlyList<T>> ReadOnlyList<T>() => new(items => items);

    private static MapFormatter<TKey, TValue, Dictionary<TKey, TValue>> Dictionary<TKey, TValue>()
        where TKey : notnull => new(map => map);

    private static MapFormatter<TKey, TValue, IReadOnlyDictionary<TKey, TValue>> ReadOnlyDictionary<TKey, TValue>()
        where TKey : notnull => new(map => map);

    private static IMessagePackFormatter New(Type definition, Type[] arguments, params object[] values)
    {
        try
        {
            return (IMessagePackFormatter)Activator.CreateInstance(definition.MakeGenericType(arguments), values)!;
        }
        catch (TargetInvocationException error) when (error.InnerException is { } cause)
        {
            throw cause;
        }
    }

    private static class Cache<T>
    {
        public static readonly IMessagePackFormatter<T>? Formatter = (IMessagePackFormatter<T>?)Make(typeof(T));
    }
}
