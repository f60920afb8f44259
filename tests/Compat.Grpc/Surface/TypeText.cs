using System.Reflection;

namespace Federated.Compat.Grpc.Tests.Surface;

/// <summary>Writes types as C# does, with what may be null.</summary>
internal static class TypeText
{
    private static readonly NullabilityInfoContext Nullability = new();

    public static string Of(ParameterInfo parameter) => Annotated(Nullability.Create(parameter));

    public static string Of(PropertyInfo property) => Annotated(Nullability.Create(property));

    public static string Of(FieldInfo field) => Annotated(Nullability.Create(field));

    /// <summary>Full name of the project's own kind of types, short name of the runtime's.</summary>
    public static string Name(Type type)
    {
        if (type.IsGenericParameter)
            return type.Name;
        if (type.IsArray)
            return Name(type.GetElementType()!) + "[]";
        return type.IsGenericType ? $"{Bare(type)}<{string.Join(", ", type.GetGenericArguments().Select(Name))}>" : Bare(type);
    }

    public static string Constraints(Type[] parameters) => string.Concat(parameters.Where(parameter => parameter.IsGenericParameter).Select(parameter =>
    {
        List<string> rules = [.. parameter.GetGenericParameterConstraints().Select(Name)];
        if (parameter.GenericParameterAttributes.HasFlag(GenericParameterAttributes.ReferenceTypeConstraint))
            rules.Insert(0, "class");
        string variance = (parameter.GenericParameterAttributes & GenericParameterAttributes.VarianceMask) switch
        {
            GenericParameterAttributes.Covariant => $" [out {parameter.Name}]",
            GenericParameterAttributes.Contravariant => $" [in {parameter.Name}]",
            _ => "",
        };
        return variance + (rules.Count == 0 ? "" : $" where {parameter.Name} : {string.Join(", ", rules)}");
    }));

    private static string Annotated(NullabilityInfo info)
    {
        Type type = info.Type;
        string question = info.ReadState == NullabilityState.Nullable && !type.IsGenericParameter ? "?" : "";
        if (Nullable.GetUnderlyingType(type) is { } value)
            return Name(value) + "?";
        if (info.ElementType is { } element)
            return $"{Annotated(element)}[]{question}";
        if (info.GenericTypeArguments.Length == 0)
            return Name(type) + question;
        return $"{Bare(type)}<{string.Join(", ", info.GenericTypeArguments.Select(Annotated))}>{question}";
    }

    private static string Bare(Type type)
    {
        string name = type.Name.Split('`')[0];
        if (type.IsNested)
            return $"{Name(type.DeclaringType!)}.{name}";
        return type.Namespace!.StartsWith("Grpc", StringComparison.Ordinal) ? $"{type.Namespace}.{name}" : name;
    }
}
