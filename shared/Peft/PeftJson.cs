using System.Globalization;
using System.Text.Json.Nodes;

namespace Federated.Shared.Peft;

/// <summary>Values of settings as Python's json module prints them.</summary>
internal static class PeftJson
{
    /// <summary>A whole number without a point where it is one: PEFT's alphas are integers.</summary>
    internal static JsonNode Number(double value) =>
        value == Math.Floor(value) && Math.Abs(value) < 1e15 ? JsonValue.Create((long)value) : JsonValue.Create(value);

    /// <summary>A float: always with a point or an exponent.</summary>
    internal static JsonNode Float(double value)
    {
        string text = value.ToString("R", CultureInfo.InvariantCulture);
        return JsonNode.Parse(text.AsSpan().IndexOfAny(".eE") < 0 ? text + ".0" : text)!;
    }

    internal static JsonNode? Of(IReadOnlyList<string>? items) => items is null ? null : new JsonArray([.. items.Select(item => (JsonNode)item)]);

    internal static JsonNode? Of(IReadOnlyList<int>? items) => items is null ? null : new JsonArray([.. items.Select(item => (JsonNode)item)]);

    internal static JsonNode? Of(ModuleSelector? selector) => selector?.Pattern is { } pattern ? pattern : Of(selector?.Names);

    /// <summary>An object from patterns to numbers.</summary>
    internal static JsonNode Of<T>(IEnumerable<KeyValuePair<string, T>> patterns)
        where T : IConvertible =>
        new JsonObject(patterns.Select(entry => KeyValuePair.Create(entry.Key, (JsonNode?)Number(entry.Value.ToDouble(CultureInfo.InvariantCulture)))));
}
