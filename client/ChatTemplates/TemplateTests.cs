using System.Collections.Frozen;

namespace Federated.Client.ChatTemplates;

/// <summary>The tests (<c>value is name</c>) that chat templates use.</summary>
internal static class TemplateTests
{
    private static readonly FrozenDictionary<string, Func<object?, CallArguments, bool>> Known = new Dictionary<string, Func<object?, CallArguments, bool>>(StringComparer.Ordinal)
    {
        ["defined"] = (value, _) => value is not Undefined,
        ["undefined"] = (value, _) => value is Undefined,
        ["none"] = (value, _) => value is null,
        ["string"] = (value, _) => value is string,
        ["mapping"] = (value, _) => value is Mapping,
        ["iterable"] = (value, _) => value is string or List<object?> or Mapping,
        ["sequence"] = (value, _) => value is string or List<object?> or Mapping,
        ["number"] = (value, _) => value is long or double or bool,
        ["integer"] = (value, _) => value is long,
        ["float"] = (value, _) => value is double,
        ["boolean"] = (value, _) => value is bool,
        ["true"] = (value, _) => value is true,
        ["false"] = (value, _) => value is false,
        ["callable"] = (value, _) => value is Callable,
        ["odd"] = (value, _) => value is long number && number % 2 != 0,
        ["even"] = (value, _) => value is long number && number % 2 == 0,
        ["divisibleby"] = (value, given) => value is long number && given.Find(0, "num") is long by and not 0 && number % by == 0,
        ["equalto"] = (value, given) => TemplateValue.Equals(value, given.Find(0, "other")),
        ["eq"] = (value, given) => TemplateValue.Equals(value, given.Find(0, "other")),
        ["=="] = (value, given) => TemplateValue.Equals(value, given.Find(0, "other")),
        ["ne"] = (value, given) => !TemplateValue.Equals(value, given.Find(0, "other")),
        ["sameas"] = (value, given) => TemplateValue.Equals(value, given.Find(0, "other")),
        ["in"] = (value, given) => TemplateOperators.Contains(given.Find(0, "seq"), value),
        ["lt"] = (value, given) => TemplateOperators.Compare("<", value, given.Find(0, "other")),
        ["gt"] = (value, given) => TemplateOperators.Compare(">", value, given.Find(0, "other")),
        ["le"] = (value, given) => TemplateOperators.Compare("<=", value, given.Find(0, "other")),
        ["ge"] = (value, given) => TemplateOperators.Compare(">=", value, given.Find(0, "other")),
        ["lower"] = (value, _) => value is string text && !text.Any(char.IsUpper),
        ["upper"] = (value, _) => value is string text && !text.Any(char.IsLower),
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <exception cref="ChatTemplateException">The test is unknown.</exception>
    internal static bool Holds(string name, object? value, CallArguments arguments) => Known.TryGetValue(name, out Func<object?, CallArguments, bool>? test)
        ? test(value, arguments)
        : throw new ChatTemplateException($"the test '{name}' is not supported; known are {string.Join(", ", Known.Keys.Order(StringComparer.Ordinal))}.");
}
