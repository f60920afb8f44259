namespace MessagePack;

/// <summary>Marks a type whose members are written as an array (integer keys) or a map (string keys).</summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Struct, AllowMultiple = false, Inherited = true)]
public class MessagePackObjectAttribute : Attribute
{
    public MessagePackObjectAttribute(bool keyAsPropertyName = false) => KeyAsPropertyName = keyAsPropertyName;

    public bool KeyAsPropertyName { get; }
}

/// <summary>The place of a member in the array, or its name in the map.</summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Field, AllowMultiple = false, Inherited = true)]
public class KeyAttribute : Attribute
{
    public KeyAttribute(int x) => IntKey = x;

    public KeyAttribute(string x) => StringKey = x ?? throw new ArgumentNullException(nameof(x));

    public int? IntKey { get; }

    public string? StringKey { get; }
}

/// <summary>Leaves a public member out.</summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Field, AllowMultiple = false, Inherited = true)]
public class IgnoreMemberAttribute : Attribute
{
}

/// <summary>Names the constructor that deserialising calls.</summary>
[AttributeUsage(AttributeTargets.Constructor, AllowMultiple = false, Inherited = true)]
public class SerializationConstructorAttribute : Attribute
{
}
