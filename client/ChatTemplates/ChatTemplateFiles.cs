using System.Text.Json;

namespace Federated.Client.ChatTemplates;

/// <summary>Where a model's folder keeps its chat template and the special tokens that it writes.</summary>
internal static class ChatTemplateFiles
{
    internal const string Jinja = "chat_template.jinja", TokenizerConfig = "tokenizer_config.json";
    private const string Key = "chat_template", DefaultName = "default";
    private const long LargestConfig = 16 << 20;
    private static readonly string[] Tokens = ["bos_token", "eos_token", "unk_token", "pad_token", "sep_token", "cls_token", "mask_token"];

    internal static (JsonElement? Template, IReadOnlyDictionary<string, string> Tokens) Config(string folder)
    {
        string path = Path.Combine(folder, TokenizerConfig);
        Dictionary<string, string> tokens = new(StringComparer.Ordinal);
        if (!File.Exists(path))
            return (null, tokens);
        if (new FileInfo(path).Length > LargestConfig)
            throw new ChatTemplateException($"{path}: larger than {LargestConfig} bytes.");
        try
        {
            using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(path));
            JsonElement root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object)
                throw new ChatTemplateException($"{path}: the root is {root.ValueKind}, not an object.");
            foreach (string name in Tokens)
            {
                if (root.TryGetProperty(name, out JsonElement token) && TokenText(token) is { } text)
                    tokens[name] = text;
            }

            return (root.TryGetProperty(Key, out JsonElement template) ? template.Clone() : null, tokens);
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            throw new ChatTemplateException($"{path}: not valid JSON in UTF-8: {error.Message}", error);
        }
    }

    /// <summary>The template itself, or of several named ones the default.</summary>
    internal static string? Default(string folder, JsonElement template)
    {
        if (template.ValueKind == JsonValueKind.String)
            return template.GetString();
        if (template.ValueKind != JsonValueKind.Array)
            return null;
        foreach (JsonElement entry in template.EnumerateArray())
        {
            if (entry.ValueKind == JsonValueKind.Object && entry.TryGetProperty("name", out JsonElement name) && name.ValueKind == JsonValueKind.String && name.GetString() == DefaultName
                && entry.TryGetProperty("template", out JsonElement text) && text.ValueKind == JsonValueKind.String)
            {
                return text.GetString();
            }
        }

        throw new ChatTemplateException($"{Path.Combine(folder, TokenizerConfig)}: of the templates in '{Key}' none is named '{DefaultName}'; give one as a file.");
    }

    internal static string Text(string path)
    {
        if (!File.Exists(path))
            throw new ChatTemplateException($"{path}: no such file; a chat template is 'chatml' or a file with one.");
        return new FileInfo(path).Length <= 4L * TemplateLimits.Template
            ? File.ReadAllText(path)
            : throw new ChatTemplateException($"{path}: too large for a template.");
    }

    private static string? TokenText(JsonElement token) => token.ValueKind switch
    {
        JsonValueKind.String => token.GetString(),
        JsonValueKind.Object when token.TryGetProperty("content", out JsonElement content) && content.ValueKind == JsonValueKind.String => content.GetString(),
        _ => null,
    };
}
