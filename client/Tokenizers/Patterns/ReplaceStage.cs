using System.Runtime.InteropServices;
using System.Text.Json;

namespace Federated.Client.Tokenizers.Patterns;

/// <summary><c>Replace</c>: every match of a pattern becomes a text; of a text to be encoded, or of each token to be decoded.</summary>
public sealed class ReplaceStage : INormaliser, IDecoder
{
    private readonly SegmentFinder _finder;

    /// <summary>Makes the stage.</summary>
    /// <param name="pattern">Regular expression, or literal text.</param>
    /// <param name="isRegex">Which of the two <paramref name="pattern"/> is.</param>
    /// <param name="content">What matches become; stands for itself, without references to groups.</param>
    /// <param name="source">File that the pattern comes from, for error messages.</param>
    /// <param name="place">Where in the file.</param>
    /// <exception cref="TokenizerFormatException">The regular expression is not one that .NET can run.</exception>
    public ReplaceStage(string pattern, bool isRegex, string content, string source = "tokenizer", string place = "Replace")
    {
        (Pattern, IsRegex, Content) = (pattern, isRegex, content);
        _finder = new(pattern, isRegex, source, place);
    }

    /// <summary>Regular expression, or literal text.</summary>
    public string Pattern { get; }

    /// <summary>Whether <see cref="Pattern"/> is a regular expression.</summary>
    public bool IsRegex { get; }

    /// <summary>What matches become.</summary>
    public string Content { get; }

    /// <inheritdoc/>
    public ReadOnlySpan<char> Normalise(ReadOnlySpan<char> text, TextBuffer buffer)
    {
        List<Segment> segments = [];
        _finder.Find(text, segments);
        if (!segments.Exists(segment => segment.IsMatch))
            return text;

        buffer.Clear();
        foreach (Segment segment in CollectionsMarshal.AsSpan(segments))
            buffer.Append(segment.IsMatch ? Content : text.Slice(segment.Start, segment.Length));

        return buffer.Text;
    }

    /// <inheritdoc/>
    public void Decode(List<string> tokens)
    {
        TextBuffer buffer = new();
        for (int i = 0; i < tokens.Count; i++)
            tokens[i] = IsRegex ? Normalise(tokens[i], buffer).ToString() : tokens[i].Replace(Pattern, Content, StringComparison.Ordinal);
    }

    /// <inheritdoc/>
    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("type", "Replace");
        json.WriteStartObject("pattern");
        json.WriteString(IsRegex ? "Regex" : "String", Pattern);
        json.WriteEndObject();
        json.WriteString("content", Content);
        json.WriteEndObject();
    }
}
