using System.Text.Json;

namespace Federated.Client.ChatTemplates;

/// <summary>How a model wants a conversation written: the Jinja text that comes with it as <c>chat_template</c>.</summary>
/// <remarks>
/// The subset of Jinja that published templates use, with Python's meaning: if, for, set, macro, do, break, continue, generation; filters, tests,
/// slices, methods of strings, lists and dictionaries; namespace, range, dict, raise_exception. What is outside is an error that names it.
/// There is no clock: <c>strftime_now</c> is undefined, so templates that can do without the date do, and the same conversation always gives
/// the same text.
/// </remarks>
public sealed class ChatTemplate
{
    private readonly string _source;
    private readonly IReadOnlyList<Node> _nodes;
    private readonly IReadOnlyDictionary<string, string> _specialTokens;

    private ChatTemplate(string source, string text, IReadOnlyDictionary<string, string> specialTokens) =>
        (_source, _nodes, _specialTokens) = (source, TemplateParser.Parse(source, text), specialTokens);

    /// <summary>ChatML, as many models use it; for those that come without a template and are to learn one.</summary>
    public const string ChatMl =
        "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}{% endfor %}" +
        "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

    /// <summary>Reads a template.</summary>
    /// <param name="source">What messages call it, such as its file.</param>
    /// <param name="text">Jinja, at most 1 MiB.</param>
    /// <param name="specialTokens">Texts of special tokens by the names that templates know, such as <c>bos_token</c>.</param>
    /// <exception cref="ChatTemplateException">It is malformed, or uses what is not supported.</exception>
    public static ChatTemplate Parse(string source, string text, IReadOnlyDictionary<string, string>? specialTokens = null) =>
        new(source, text, specialTokens ?? new Dictionary<string, string>());

    /// <summary>The template of a model's folder: <c>chat_template.jinja</c>, or <c>chat_template</c> in <c>tokenizer_config.json</c>.</summary>
    /// <param name="folder">The model's folder.</param>
    /// <param name="instead">A template to use instead: <c>chatml</c>, or a file with one; null for the model's own.</param>
    /// <returns>Null if the folder has none.</returns>
    /// <exception cref="ChatTemplateException">It is malformed, or uses what is not supported.</exception>
    public static ChatTemplate? Read(string folder, string? instead = null)
    {
        (JsonElement? stored, IReadOnlyDictionary<string, string> tokens) = ChatTemplateFiles.Config(folder);
        if (instead is not null)
            return instead == "chatml" ? new("chatml", ChatMl, tokens) : new(instead, ChatTemplateFiles.Text(instead), tokens);
        if (Path.Combine(folder, ChatTemplateFiles.Jinja) is var file && File.Exists(file))
            return new(file, ChatTemplateFiles.Text(file), tokens);
        return stored is { } json && ChatTemplateFiles.Default(folder, json) is { } text ? new(Path.Combine(folder, ChatTemplateFiles.TokenizerConfig), text, tokens) : null;
    }

    /// <summary>Writes a conversation.</summary>
    /// <param name="messages">What was said.</param>
    /// <param name="addGenerationPrompt">Whether the assistant's next message is begun.</param>
    /// <exception cref="ChatTemplateException">The template refuses these messages, or asks for what is not there or not supported.</exception>
    public RenderedChat Render(IReadOnlyList<ChatMessage> messages, bool addGenerationPrompt)
    {
        ArgumentNullException.ThrowIfNull(messages);
        Dictionary<string, object?> variables = new(TemplateFunctions.All, StringComparer.Ordinal)
        {
            ["messages"] = messages.Select(message => message.Value).ToList(),
            ["add_generation_prompt"] = addGenerationPrompt,
            ["tools"] = null,
            ["documents"] = null,
        };
        foreach ((string name, string token) in _specialTokens)
            variables[name] = token;
        TemplateRun run = new(_source, variables);
        string text = run.Render(_nodes);
        return new(text, run.Spoken);
    }
}
