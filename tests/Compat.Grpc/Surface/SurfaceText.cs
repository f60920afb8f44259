using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;

namespace Federated.Compat.Grpc.Tests.Surface;

/// <summary>Writes what other assemblies can see of an assembly, one line a type or member, in ordinal order.</summary>
internal static class SurfaceText
{
    private const BindingFlags Declared =
        BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    public static IReadOnlyList<string> Of(Assembly assembly) =>
        [.. assembly.GetTypes().Where(IsVisible).SelectMany(Lines).Order(StringComparer.Ordinal)];

    private static IEnumerable<string> Lines(Type type)
    {
        string name = TypeText.Name(type);
        yield return $"{Kind(type)} {name}{Parents(type)}{TypeText.Constraints(type.GetGenericArguments())}";
        if (IsDelegate(type))
        {
            yield return $"{name} :: {Method(type.GetMethod("Invoke")!)}";
            yield break;
        }

        foreach (MemberInfo member in type.GetMembers(Declared))
        {
            if (Line(member) is { } line)
                yield return $"{name} :: {line}";
        }
    }

    private static string? Line(MemberInfo member) => member switch
    {
        FieldInfo { IsSpecialName: false } field when IsVisible(field.Attributes) =>
            $"{(field.IsStatic ? "static " : "")}{(field.IsInitOnly ? "readonly " : "")}{TypeText.Of(field)} {field.Name}{Constant(field)}",
        PropertyInfo property when Accessors(property) is { Length: > 0 } accessors =>
            $"{Modifiers(accessors[0])}{TypeText.Of(property)} {property.Name} {{ {string.Join(" ", accessors.Select(Accessor))} }}",
        ConstructorInfo { IsStatic: false } constructor when IsVisible(constructor) =>
            $"{Access(constructor)}new({Parameters(constructor)})",
        MethodInfo { IsSpecialName: false } method when IsVisible(method) => Method(method),
        _ => null,
    };

    private static string Method(MethodInfo method)
    {
        string generic = method.IsGenericMethod ? $"<{string.Join(", ", method.GetGenericArguments().Select(type => type.Name))}>" : "";
        string constraints = method.IsGenericMethod ? TypeText.Constraints(method.GetGenericArguments()) : "";
        string extension = method.IsDefined(typeof(ExtensionAttribute)) ? "this " : "";
        return $"{Modifiers(method)}{TypeText.Of(method.ReturnParameter)} {method.Name}{generic}({extension}{Parameters(method)}){constraints}";
    }

    private static string Parameters(MethodBase method) => string.Join(", ", method.GetParameters().Select(parameter =>
        $"{(parameter.IsDefined(typeof(ParamArrayAttribute)) ? "params " : "")}{TypeText.Of(parameter)} {parameter.Name}{Default(parameter)}"));

    private static string Default(ParameterInfo parameter)
    {
        if (!parameter.HasDefaultValue)
            return "";
        string? value = Convert.ToString(parameter.RawDefaultValue, CultureInfo.InvariantCulture);
        return $" = {(string.IsNullOrEmpty(value) ? "default" : value)}";
    }

    private static string Constant(FieldInfo field) =>
        field.IsLiteral ? $" = {Convert.ToString(field.GetRawConstantValue(), CultureInfo.InvariantCulture)}" : "";

    private static MethodInfo[] Accessors(PropertyInfo property) => [.. property.GetAccessors(nonPublic: true).Where(IsVisible)];

    private static string Accessor(MethodInfo accessor) => accessor.ReturnType == typeof(void) ? "set;" : "get;";

    private static string Modifiers(MethodBase method) =>
        Access(method)
        + (method.IsStatic ? "static " : "")
        + (method.IsAbstract ? "abstract " : method.IsVirtual && !method.IsFinal ? Overriding(method) : "");

    private static string Overriding(MethodBase method) =>
        method is MethodInfo info && info.GetBaseDefinition() != info ? "override " : "virtual ";

    private static string Access(MethodBase method) => method.IsPublic ? "" : method.IsFamilyOrAssembly ? "protected internal " : "protected ";

    private static string Parents(Type type)
    {
        if (IsDelegate(type) || type.IsEnum)
            return "";
        IEnumerable<Type> parents = type.GetInterfaces().Order(Comparer<Type>.Create((a, b) => string.CompareOrdinal(a.Name, b.Name)));
        if (type.BaseType is { } parent && parent != typeof(object) && parent != typeof(ValueType))
            parents = parents.Prepend(parent);
        string text = string.Join(", ", parents.Select(TypeText.Name));
        return text.Length == 0 ? "" : $" : {text}";
    }

    private static string Kind(Type type) =>
        IsDelegate(type) ? "delegate"
        : type.IsEnum ? type.IsDefined(typeof(FlagsAttribute)) ? "flags enum" : "enum"
        : type.IsValueType ? "struct"
        : type.IsInterface ? "interface"
        : type.IsAbstract && type.IsSealed ? "static class"
        : type.IsAbstract ? "abstract class"
        : type.IsSealed ? "sealed class"
        : "class";

    private static bool IsDelegate(Type type) => type.BaseType == typeof(MulticastDelegate);

    private static bool IsVisible(Type type) =>
        type.IsNested
            ? (type.IsNestedPublic || type.IsNestedFamily || type.IsNestedFamORAssem) && IsVisible(type.DeclaringType!)
            : type.IsPublic;

    private static bool IsVisible(MethodBase method) => method.IsPublic || method.IsFamily || method.IsFamilyOrAssembly;

    private static bool IsVisible(FieldAttributes attributes) =>
        (attributes & FieldAttributes.FieldAccessMask) is FieldAttributes.Public or FieldAttributes.Family or FieldAttributes.FamORAssem;
}
