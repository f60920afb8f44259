using System.Reflection;

namespace Federated.Compat.MessagePack.Tests;

/// <summary>The public members of an assembly as sorted lines, one a member, comparable between assemblies.</summary>
internal static class PublicSurface
{
    private const BindingFlags Declared = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    public static string[] Of(Assembly assembly) =>
        [.. assembly.GetExportedTypes().SelectMany(Lines).Distinct().Order(StringComparer.Ordinal)];

    private static IEnumerable<string> Lines(Type type)
    {
        yield return $"{Name(type)} : {Kind(type)}";
        if (type.IsEnum)
        {
            foreach (string name in Enum.GetNames(type))
                yield return $"{Name(type)}.{name} = {Convert.ToInt64(Enum.Parse(type, name), System.Globalization.CultureInfo.InvariantCulture)}";

            yield break;
        }

        foreach (ConstructorInfo c in type.GetConstructors(Declared).Where(c => !c.IsStatic && Visible(c)))
            yield return $"{Name(type)}.ctor({Parameters(c)})";
        foreach (FieldInfo f in type.GetFields(Declared).Where(f => f.IsPublic || f.IsFamily || f.IsFamilyOrAssembly))
            yield return $"{Name(type)}.{f.Name} : {Name(f.FieldType)}{(f.IsLiteral ? $" = {f.GetRawConstantValue()}" : f.IsInitOnly ? " readonly" : "")}";
        foreach (MethodInfo m in type.GetMethods(Declared).Where(Visible))
            yield return $"{Name(type)}.{m.Name}{Generics(m)}({Parameters(m)}) : {Name(m.ReturnType)}{(m.IsStatic ? " static" : m.IsFamily ? " protected" : "")}";
    }

    private static bool Visible(MethodBase method) => method.IsPublic || method.IsFamily || method.IsFamilyOrAssembly;

    private static string Kind(Type type)
    {
        if (type.IsEnum)
            return $"enum of {Name(type.GetEnumUnderlyingType())}";
        if (type.IsInterface)
            return "interface";
        if (type.IsValueType)
            return type.IsByRefLike ? "ref struct" : "struct";

        return type.IsAbstract && type.IsSealed ? "static class" : $"{(type.IsSealed ? "sealed " : "")}class of {Name(type.BaseType!)}";
    }

    private static string Generics(MethodInfo method) =>
        method.IsGenericMethod ? $"<{string.Join(", ", method.GetGenericArguments().Select(a => a.Name))}>" : "";

    private static string Parameters(MethodBase method) => string.Join(", ", method.GetParameters().Select(p =>
        (p.IsDefined(typeof(System.Runtime.CompilerServices.ScopedRefAttribute)) ? "scoped " : "")
        + (p.IsOut ? "out " : p.IsIn && p.ParameterType.IsByRef ? "in " : p.ParameterType.IsByRef ? "ref " : "")
        + $"{Name(p.ParameterType)} {p.Name}{(p.HasDefaultValue ? $" = {p.DefaultValue ?? "default"}" : "")}"));

    private static string Name(Type type)
    {
        if (type.IsByRef)
            return Name(type.GetElementType()!);
        if (type.IsArray)
            return Name(type.GetElementType()!) + "[]";
        if (type.IsGenericParameter)
            return type.Name;

        string name = (type.DeclaringType is { } outer ? Name(outer) + "." : type.Namespace + ".") + type.Name.Split('`')[0];
        return type.IsGenericType ? $"{name}<{string.Join(", ", type.GetGenericArguments().Select(Name))}>" : name;
    }
}
