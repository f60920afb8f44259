using System.Runtime.InteropServices;
using System.Text.Json;
using Federated.Client.Tokenizers.Patterns;

namespace Federated.Client.Tokenizers.PreTokenisers;

/// <summary><c>Split</c>: cuts where a pattern matches. Well-known patterns are cut by hand, others by <see cref="SegmentFinder"/>.</summary>
public sealed class SplitPreTokeniser : IPreTokeniser
{
    private readonly Action<ReadOnlySpan<char>, List<TextPiece>> _split;

    /// <summary>Makes the stage.</summary>
    /// <param name="pattern">Regular expression, or literal text.</param>
    /// <param name="isRegex">Which of the two <paramref name="pattern"/> is.</param>
    /// <param name="behavior">What becomes of matches.</param>
    /// <param name="invert">What does not match counts as match, and the other way round.</param>
    /// <param name="source">File that the pattern comes from, for error messages.</param>
    /// <param name="place">Where in the file.</param>
    /// <exception cref="TokenizerFormatException">The regular expression is not one that .NET can run.</exception>
    public SplitPreTokeniser(string pattern, bool isRegex, SplitBehavior behavior, bool invert, string source = "tokenizer", string place = "pre_tokenizer")
    {
        (Pattern, IsRegex, Behavior, Invert) = (pattern, isRegex, behavior, invert);
        bool isPlain = isRegex && behavior == SplitBehavior.Isolated && !invert;
        if (isPlain && pattern == Gpt2Words.Pattern)
        {
            _split = Gpt2Words.Split;
        }
        else if (isPlain && TiktokenWords.ByPattern.TryGetValue(pattern, out TiktokenWords? words))
        {
            _split = words.Split;
        }
        else
        {
            SegmentFinder finder = new(pattern, isRegex, source, place);
            _split = (text, pieces) =>
            {
                List<Segment> segments = [];
                finder.Find(text, segments);
                SegmentRules.Apply(CollectionsMarshal.AsSpan(segments), behavior, invert, pieces);
            };
        }
    }

    /// <summary>Regular expression, or literal text.</summary>
    public string Pattern { get; }

    /// <summary>Whether <see cref="Pattern"/> is a regular expression.</summary>
    public bool IsRegex { get; }

    /// <summary>What becomes of matches.</summary>
    public SplitBehavior Behavior { get; }

    /// <summary>Whether what does not match counts as match.</summary>
    public bool Invert { get; }

    /// <inheritdoc/>
    public void Split(ReadOnlySpan<char> text, List<TextPiece> pieces) => _split(text, pieces);

    /// <inheritdoc/>
    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("type", "Split");
        json.WriteStartObject("pattern");
        json.WriteString(IsRegex ? "Regex" : "String", Pattern);
        json.WriteEndObject();
        json.WriteString("behavior", Behavior.ToString());
        json.WriteBoolean("invert", Invert);
        json.WriteEndObject();
    }
}
