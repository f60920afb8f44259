namespace Federated.Client.ChatTemplates;

/// <summary>What one template may take: it comes with a model from elsewhere, and is a program.</summary>
internal static class TemplateLimits
{
    /// <summary>Characters of a template.</summary>
    internal const int Template = 1 << 20;

    /// <summary>Nested blocks, brackets and macro calls.</summary>
    internal const int Depth = 100;

    /// <summary>Nodes evaluated for one conversation.</summary>
    internal const int Steps = 5_000_000;

    /// <summary>Characters of one conversation, and of any text on the way to it.</summary>
    internal const int Text = 1 << 25;

    /// <summary>Items of a list.</summary>
    internal const int Items = 1 << 20;
}
