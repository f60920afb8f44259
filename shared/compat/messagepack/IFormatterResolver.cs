using MessagePack.Formatters;

namespace MessagePack;

/// <summary>Finds the formatter of a type.</summary>
public interface IFormatterResolver
{
    IMessagePackFormatter<T>? GetFormatter<T>();
}

public static class FormatterResolverExtensions
{
    /// <summary>The formatter of a type that must have one.</summary>
    /// <exception cref="FormatterNotRegisteredException">There is none.</exception>
    public static IMessagePackFormatter<T> GetFormatterWithVerify<T>(this IFormatterResolver resolver)
    {
        ArgumentNullException.ThrowIfNull(resolver);
        try
        {
            return resolver.GetFormatter<T>()
                ?? throw new FormatterNotRegisteredException($"{typeof(T)} has no formatter in {resolver.GetType()}: mark it with [MessagePackObject], or write one.");
        }
        catch (TypeInitializationException error) when (error.InnerException is { } cause)
        {
            // The type's plan is made in a static constructor: show its own message.
            throw new MessagePackSerializationException(cause.Message, cause);
        }
    }
}
