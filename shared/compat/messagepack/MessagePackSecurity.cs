namespace MessagePack;

/// <summary>How far input is trusted.</summary>
public class MessagePackSecurity
{
    public static readonly MessagePackSecurity TrustedData = new();

    public static readonly MessagePackSecurity UntrustedData = new() { HashCollisionResistant = true };

    private MessagePackSecurity()
    {
    }

    protected MessagePackSecurity(MessagePackSecurity copyFrom)
    {
        ArgumentNullException.ThrowIfNull(copyFrom);
        HashCollisionResistant = copyFrom.HashCollisionResistant;
        MaximumObjectGraphDepth = copyFrom.MaximumObjectGraphDepth;
    }

    /// <summary>Whether keys of maps are hashed with a secret, and types without such a hash refused.</summary>
    public bool HashCollisionResistant { get; private set; }

    /// <summary>Deepest nesting of objects and collections that is read.</summary>
    public int MaximumObjectGraphDepth { get; private set; } = 500;

    public MessagePackSecurity WithMaximumObjectGraphDepth(int maximumObjectGraphDepth)
    {
        if (maximumObjectGraphDepth == MaximumObjectGraphDepth)
            return this;

        MessagePackSecurity clone = Clone();
        clone.MaximumObjectGraphDepth = maximumObjectGraphDepth;
        return clone;
    }

    public MessagePackSecurity WithHashCollisionResistant(bool hashCollisionResistant)
    {
        if (hashCollisionResistant == HashCollisionResistant)
            return this;

        MessagePackSecurity clone = Clone();
        clone.HashCollisionResistant = hashCollisionResistant;
        return clone;
    }

    public IEqualityComparer<T> GetEqualityComparer<T>() =>
        HashCollisionResistant ? GetHashCollisionResistantEqualityComparer<T>() : EqualityComparer<T>.Default;

    /// <summary>Counts one level of nesting; the caller takes it off <see cref="MessagePackReader.Depth"/> when it leaves the level.</summary>
    public void DepthStep(ref MessagePackReader reader)
    {
        if (reader.Depth >= MaximumObjectGraphDepth)
            throw new InsufficientExecutionStackException($"The data nests deeper than the {MaximumObjectGraphDepth} levels allowed.");

        reader.Depth++;
    }

    protected virtual IEqualityComparer<T> GetHashCollisionResistantEqualityComparer<T>()
    {
        // The runtime hashes strings, and HashCode.Combine everything, with a secret drawn at start.
        if (typeof(T) == typeof(string))
            return EqualityComparer<T>.Default;
        if ((typeof(T).IsPrimitive && typeof(T) != typeof(float) && typeof(T) != typeof(double)) || typeof(T).IsEnum)
            return SeededComparer<T>.Instance;

        throw new TypeAccessException($"No collision-resistant hash is known for keys of type {typeof(T)}.");
    }

    protected virtual MessagePackSecurity Clone() => new(this);

    private sealed class SeededComparer<T> : IEqualityComparer<T>
    {
        public static readonly SeededComparer<T> Instance = new();

        public bool Equals(T? x, T? y) => EqualityComparer<T>.Default.Equals(x, y);

        public int GetHashCode(T obj) => HashCode.Combine(obj);
    }
}
