using System.Reflection;
using System.Text;

namespace MessagePack.Formatters;

/// <summary>One written member of a type.</summary>
internal sealed record ObjectMember(MemberInfo Info, Type Type, int Index, byte[] Key, bool Readable, bool Writable)
{
    /// <summary>Position in the constructor's parameters, or -1.</summary>
    public int Parameter { get; set; } = -1;
}

/// <summary>What is written of a [MessagePackObject] type and how it is made again; the same rules as the official resolver's.</summary>
internal sealed class ObjectShape
{
    private ObjectShape(Type type, bool isArray, ObjectMember[] members)
    {
        IsArray = isArray;
        Members = members;
        Constructor = FindConstructor(type);
    }

    /// <summary>Whether the keys are integers.</summary>
    public bool IsArray { get; }

    /// <summary>Members in the order in which they are written.</summary>
    public ObjectMember[] Members { get; }

    /// <summary>Null for a struct that is made by default.</summary>
    public ConstructorInfo? Constructor { get; }

    public static ObjectShape Of(Type type, bool keyAsPropertyName)
    {
        if (!type.IsVisible)
            throw new MessagePackSerializationException($"{type} is not public: the official package refuses it too.");

        List<ObjectMember> members = [];
        bool? isArray = keyAsPropertyName ? false : null;
        foreach (MemberInfo info in Candidates(type))
        {
            string name;
            int index = members.Count;
            if (keyAsPropertyName)
            {
                name = info.Name;
            }
            else
            {
                KeyAttribute key = info.GetCustomAttribute<KeyAttribute>(true)
                    ?? throw new MessagePackSerializationException($"{type}.{info.Name} needs [Key] or [IgnoreMember]: every public member says which.");
                if (isArray is { } mode && mode != key.IntKey.HasValue)
                    throw new MessagePackSerializationException($"{type}.{info.Name}: integer and string keys in one type.");

                isArray = key.IntKey.HasValue;
                name = key.StringKey ?? "";
                index = key.IntKey ?? index;
            }

            ObjectMember member = Describe(info, index, Encoding.UTF8.GetBytes(name));
            if (index < 0 || members.Exists(m => isArray == true ? m.Index == index : m.Key.AsSpan().SequenceEqual(member.Key)))
                throw new MessagePackSerializationException($"{type}.{info.Name}: its key is negative or used twice.");

            members.Add(member);
        }

        return new(type, isArray ?? true, isArray == false ? [.. members] : [.. members.OrderBy(m => m.Index)]);
    }

    /// <summary>Public properties, then public fields, those of base types first.</summary>
    private static IEnumerable<MemberInfo> Candidates(Type type)
    {
        const BindingFlags Declared = BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly;
        List<Type> chain = [];
        for (Type? t = type; t is not null; t = t.BaseType)
            chain.Insert(0, t);

        IEnumerable<MemberInfo> properties = chain.SelectMany(t => t.GetProperties(Declared)).Where(p => p.GetIndexParameters().Length == 0);
        IEnumerable<MemberInfo> fields = chain.SelectMany(t => t.GetFields(Declared));
        return properties.Concat(fields).Where(m => !m.IsDefined(typeof(IgnoreMemberAttribute), true));
    }

    private static ObjectMember Describe(MemberInfo info, int index, byte[] key) => info switch
    {
        PropertyInfo p => new(p, p.PropertyType, index, key, p.GetMethod is { IsPublic: true }, p.SetMethod is { IsPublic: true }),
        FieldInfo f => new(f, f.FieldType, index, key, true, !f.IsInitOnly),
        _ => throw new MessagePackSerializationException($"{info} is neither property nor field."),
    };

    private ConstructorInfo? FindConstructor(Type type)
    {
        ConstructorInfo[] all = type.GetConstructors();
        ConstructorInfo? marked = all.SingleOrDefault(c => c.IsDefined(typeof(SerializationConstructorAttribute), false));
        ConstructorInfo[] candidates = marked is null ? [.. all.OrderByDescending(c => c.GetParameters().Length)] : [marked];
        foreach (ConstructorInfo candidate in candidates)
        {
            if (Match(candidate) is not { } parameters)
                continue;

            for (int i = 0; i < parameters.Length; i++)
                parameters[i].Parameter = i;

            return candidate;
        }

        return type.IsValueType && marked is null
            ? null
            : throw new MessagePackSerializationException($"{type} has no public constructor whose parameters are its members in key order (or by name).");
    }

    /// <summary>Parameters match by position in key order for integer keys, by name for string keys; the types must fit.</summary>
    private ObjectMember[]? Match(ConstructorInfo constructor)
    {
        ParameterInfo[] parameters = constructor.GetParameters();
        ObjectMember[] matched = new ObjectMember[parameters.Length];
        for (int i = 0; i < parameters.Length; i++)
        {
            ObjectMember? member = IsArray
                ? Members.ElementAtOrDefault(i)
                : Array.Find(Members, m => string.Equals(m.Info.Name, parameters[i].Name, StringComparison.OrdinalIgnoreCase));
            if (member is null || !member.Readable || !parameters[i].ParameterType.IsAssignableFrom(member.Type))
                return null;

            matched[i] = member;
        }

        return matched;
    }
}
