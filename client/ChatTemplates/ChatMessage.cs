using System.Text.Json;

namespace Federated.Client.ChatTemplates;

/// <summary>One message of a conversation, with all the fields it has: a template may use more than role and content.</summary>
public sealed class ChatMessage
{
    private readonly JsonElement _json;

    private ChatMessage(JsonElement json, string role) => (_json, Role) = (json, role);

    /// <summary>Who speaks: <c>system</c>, <c>user</c>, <c>assistant</c>, or what else the template knows.</summary>
    public string Role { get; }

    internal object? Value => TemplateValue.Of(_json);

    /// <summary>A message of role and content.</summary>
    public static ChatMessage Of(string role, string content) =>
        Read(JsonSerializer.SerializeToElement(new Dictionary<string, string> { ["role"] = role, ["content"] = content }));

    /// <summary>Takes over a JSON object with <c>role</c> and, usually, <c>content</c>.</summary>
    /// <exception cref="ChatTemplateException">It is no object, or its role is no text.</exception>
    public static ChatMessage Read(JsonElement json) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty("role", out JsonElement role) && role.ValueKind == JsonValueKind.String
            ? new(json.Clone(), role.GetString()!)
            : throw new ChatTemplateException("a message is an object with 'role' (a string) and 'content'.");
}

/// <summary>A conversation as a model reads it.</summary>
/// <param name="Text">The text; special tokens are written out in it, so encode it without adding any.</param>
/// <param name="Spoken">Where what the assistant says begins and ends in the text, if the template marks it (<c>{% generation %}</c>); else empty.</param>
public sealed record RenderedChat(string Text, IReadOnlyList<(int Start, int End)> Spoken);
