namespace Federated.Client.ChatTemplates;

/// <summary>A chat template cannot be read, or not be applied to these messages; the message names the template, the line and the construct.</summary>
public sealed class ChatTemplateException : Exception
{
    /// <summary>Whether the template itself refused the conversation, in words that may quote it.</summary>
    public bool Refuses { get; init; }

    /// <summary>A fault without a place.</summary>
    public ChatTemplateException(string message) : base(message)
    {
    }

    /// <summary>A fault with its cause.</summary>
    public ChatTemplateException(string message, Exception cause) : base(message, cause)
    {
    }

    internal ChatTemplateException(string source, int line, string fault) : base($"{source}, line {line} of the template: {fault}")
    {
    }
}
