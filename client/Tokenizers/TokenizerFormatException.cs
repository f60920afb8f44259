namespace Federated.Client.Tokenizers;

/// <summary>A tokenizer file, or the parts of a tokenizer, contradict themselves or are of a kind not supported.</summary>
/// <param name="source">File name, or what was being built.</param>
/// <param name="where">Place inside it, such as <c>$.model.merges[17]</c> or <c>line 5</c>.</param>
/// <param name="problem">What was found, what is wanted and, where there is one, the way out.</param>
public sealed class TokenizerFormatException(string source, string where, string problem)
    : FormatException($"{source}: {where}: {problem}")
{
    /// <summary>Place inside the file.</summary>
    public string Where { get; } = where;
}
