using System.Text.Json.Serialization;

namespace Federated.Simulations.Data;

/// <summary>One mail of the corpus, fit to be shown: names and addresses are tokens.</summary>
/// <param name="Id">Folder and number, such as <c>spam-1/00042</c>; unique.</param>
/// <param name="Folder">One of <see cref="MailFolders.All"/>.</param>
/// <param name="Label"><c>ham</c> or <c>spam</c>, as the folder says.</param>
/// <param name="Split">One of <see cref="MailSplits.All"/>.</param>
/// <param name="Text">Subject, LF, body; at most <see cref="MailPreparation.MaxTextLength"/> chars.</param>
public sealed record MailRecord(
    [property: JsonPropertyName("id")] string Id,
    [property: JsonPropertyName("folder")] string Folder,
    [property: JsonPropertyName("label")] string Label,
    [property: JsonPropertyName("split")] string Split,
    [property: JsonPropertyName("text")] string Text);

/// <summary>The folders of the SpamAssassin public corpus and the labels they stand for.</summary>
public static class MailFolders
{
    /// <summary>Label of wanted mail.</summary>
    public const string Ham = "ham";

    /// <summary>Label of unwanted mail.</summary>
    public const string Spam = "spam";

    /// <summary>Folder names in the order of the corpus.</summary>
    public static IReadOnlyList<string> All { get; } = ["easy-ham-1", "easy-ham-2", "hard-ham-1", "spam-1", "spam-2"];

    /// <summary>The label that <paramref name="folder"/> stands for.</summary>
    public static string LabelOf(string folder) => folder.StartsWith(Spam, StringComparison.Ordinal) ? Spam : Ham;
}

/// <summary>The three disjoint uses of the corpus.</summary>
public static class MailSplits
{
    /// <summary>Mail that clients train on.</summary>
    public const string Train = "train";

    /// <summary>The common test set, half ham, half spam, that no client sees.</summary>
    public const string Test = "test";

    /// <summary>Mail for pretraining, in neither of the others.</summary>
    public const string Pretrain = "pretrain";

    /// <summary>All names.</summary>
    public static IReadOnlyList<string> All { get; } = [Train, Test, Pretrain];
}
