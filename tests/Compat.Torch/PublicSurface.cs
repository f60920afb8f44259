using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text;

namespace Federated.Compat.Torch.Tests;

/// <summary>Writes what an assembly shows to its callers, one member a line, so that two assemblies can be compared as text.</summary>
/// <remarks>
/// A line is <c>Type: kind signature</c> with every parameter's name and default value, because C# callers may use both.
/// Nullable annotations are left out: they differ by compiler version and break no caller.
/// </remarks>
internal static class PublicSurface
{
    private const BindingFlags Declared =
        BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    // Short names keep the lists readable; what they stand for is still unambiguous.
    private static readonly Dictionary<Type, string> Keywords = new()
    {
        [typeof(bool)] = "bool", [typeof(byte)] = "byte", [typeof(sbyte)] = "sbyte", [typeof(short)] = "short", [typeof(int)] = "int",
        [typeof(long)] = "long", [typeof(ulong)] = "ulong", [typeof(float)] = "float", [typeof(double)] = "double", [typeof(nint)] = "nint",
        [typeof(string)] = "string", [typeof(object)] = "object", [typeof(void)] = "void",
    };

    /// <summary>Lines of every visible type whose namespace starts with <paramref name="rootNamespace"/>, sorted by code point.</summary>
    public static SortedSet<string> Of(Assembly assembly, string rootNamespace)
    {
        SortedSet<string> lines = new(StringComparer.Ordinal);
        foreach (Type type in assembly.GetTypes().Where(t => IsVisible(t) && (t.Namespace ?? "").StartsWith(rootNamespace, StringComparison.Ordinal)))
            lines.UnionWith(Of(type));
        return lines;
    }

    private static IEnumerable<string> Of(Type type)
    {
        string name = Name(type);
        yield return $"{name}: {Kind(type)}{Base(type)}";
        if (typeof(Delegate).IsAssignableFrom(type))
        {
            yield return $"{name}: {Signature(type.GetMethod("Invoke")!)}";
            yield break;
        }

        foreach (FieldInfo field in type.GetFields(Declared).Where(f => (f.IsPublic || f.IsFamily || f.IsFamilyOrAssembly) && !f.IsSpecialName))
            yield return $"{name}: field {Static(field.IsStatic)}{Name(field.FieldType)} {field.Name}{(field.IsLiteral ? " = " + Literal(field.GetRawConstantValue()) : "")}";
        foreach (ConstructorInfo constructor in type.GetConstructors(Declared).Where(c => IsVisible(c) && !c.IsStatic))
            yield return $"{name}: {Access(constructor)}constructor({Parameters(constructor)})";
        foreach (MethodInfo method in type.GetMethods(Declared).Where(m => IsVisible(m) && !IsImplementationDetail(m)))
            yield return $"{name}: {Signature(method)}";
    }

    // Finalizers and overrides of System.Object's members say nothing about what a caller may write.
    private static bool IsImplementationDetail(MethodInfo method) =>
        method.GetBaseDefinition().DeclaringType == typeof(object);

    private static string Signature(MethodInfo method)
    {
        string generic = method.IsGenericMethod ? $"<{string.Join(", ", method.GetGenericArguments().Select(a => a.Name))}>" : "";
        string modifier = method.IsAbstract ? "abstract " : method.IsVirtual && !method.IsFinal ? "virtual " : "";
        string extension = method.IsDefined(typeof(ExtensionAttribute), false) ? "this " : "";
        return $"{Access(method)}{Static(method.IsStatic)}{modifier}{Name(method.ReturnType)} {method.Name}{generic}({extension}{Parameters(method)})";
    }

    private static string Parameters(MethodBase method) => string.Join(", ", method.GetParameters().Select(parameter =>
    {
        StringBuilder text = new();
        if (parameter.IsDefined(typeof(ParamArrayAttribute), false)) text.Append("params ");
        Type type = parameter.ParameterType;
        if (type.IsByRef)
        {
            text.Append(parameter.IsOut ? "out " : parameter.IsIn ? "in " : "ref ");
            type = type.GetElementType()!;
        }

        text.Append(Name(type)).Append(' ').Append(parameter.Name);
        if (parameter.HasDefaultValue) text.Append(" = ").Append(Literal(parameter.RawDefaultValue));
        return text.ToString();
    }));

    private static string Literal(object? value) => value switch
    {
        null or Missing => "default",
        string text => $"\"{text}\"",
        bool flag => flag ? "true" : "false",
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString()!,
    };

    private static string Kind(Type type) =>
        type.IsEnum ? "enum"
        : type.IsInterface ? "interface"
        : typeof(Delegate).IsAssignableFrom(type) ? "delegate"
        : type.IsValueType ? "struct"
        : type is { IsAbstract: true, IsSealed: true } ? "static class"
        : type.IsAbstract ? "abstract class"
        : type.IsSealed ? "sealed class" : "class";

    private static string Base(Type type)
    {
        if (type.IsEnum) return " : " + Name(Enum.GetUnderlyingType(type));
        return type.BaseType is null || type.IsValueType || type.BaseType == typeof(object) || typeof(Delegate).IsAssignableFrom(type)
            ? "" : " : " + Name(type.BaseType);
    }

    private static string Name(Type type)
    {
        if (type.IsGenericParameter) return type.Name;
        if (Keywords.TryGetValue(type, out string? keyword)) return keyword;
        if (Nullable.GetUnderlyingType(type) is Type value) return Name(value) + "?";
        if (type.IsArray) return $"{Name(type.GetElementType()!)}[{new string(',', type.GetArrayRank() - 1)}]";
        if (type.IsPointer) return Name(type.GetElementType()!) + "*";
        if (type.IsByRef) return "ref " + Name(type.GetElementType()!);
        string prefix = (type.IsNested ? Name(type.DeclaringType!) : type.Namespace) + ".";
        int tick = type.Name.IndexOf('`', StringComparison.Ordinal);
        string name = (prefix + (tick < 0 ? type.Name : type.Name[..tick])).Replace("TorchSharp.torch.", "torch.", StringComparison.Ordinal);
        int inherited = type.IsNested ? type.DeclaringType!.GetGenericArguments().Length : 0;
        Type[] own = [.. type.GetGenericArguments().Skip(inherited)];
        return own.Length == 0 ? name : $"{name}<{string.Join(", ", own.Select(Name))}>";
    }

    private static bool IsVisible(Type type) => type.IsNested
        ? (type.IsNestedPublic || type.IsNestedFamily || type.IsNestedFamORAssem) && IsVisible(type.DeclaringType!)
        : type.IsPublic;

    private static bool IsVisible(MethodBase method) => method.IsPublic || method.IsFamily || method.IsFamilyOrAssembly;

    private static string Access(MethodBase method) => method.IsPublic ? "" : "protected ";

    private static string Static(bool isStatic) => isStatic ? "static " : "";
}
