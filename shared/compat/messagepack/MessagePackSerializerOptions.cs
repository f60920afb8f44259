namespace MessagePack;

/// <summary>Where formatters come from and how far input is trusted. Immutable.</summary>
public class MessagePackSerializerOptions
{
    public MessagePackSerializerOptions(IFormatterResolver resolver) =>
        Resolver = resolver ?? throw new ArgumentNullException(nameof(resolver));

    protected MessagePackSerializerOptions(MessagePackSerializerOptions copyFrom)
    {
        ArgumentNullException.ThrowIfNull(copyFrom);
        Resolver = copyFrom.Resolver;
        Security = copyFrom.Security;
    }

    public static MessagePackSerializerOptions Standard => StandardOptions.Instance;

    public IFormatterResolver Resolver { get; private set; }

    public MessagePackSecurity Security { get; private set; } = MessagePackSecurity.TrustedData;

    public MessagePackSerializerOptions WithResolver(IFormatterResolver resolver)
    {
        if (resolver == Resolver)
            return this;

        MessagePackSerializerOptions clone = Clone();
        clone.Resolver = resolver ?? throw new ArgumentNullException(nameof(resolver));
        return clone;
    }

    public MessagePackSerializerOptions WithSecurity(MessagePackSecurity security)
    {
        ArgumentNullException.ThrowIfNull(security);
        if (security == Security)
            return this;

        MessagePackSerializerOptions clone = Clone();
        clone.Security = security;
        return clone;
    }

    protected virtual MessagePackSerializerOptions Clone() => new(this);

    private static class StandardOptions
    {
        internal static readonly MessagePackSerializerOptions Instance = new(Resolvers.StandardResolver.Instance);
    }
}
