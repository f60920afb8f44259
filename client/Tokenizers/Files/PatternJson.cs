using Federated.Client.Tokenizers.Patterns;
using Federated.Client.Tokenizers.PreTokenisers;

namespace Federated.Client.Tokenizers.Files;

/// <summary>Reads the stages of <c>tokenizer.json</c> that have a pattern: <c>Split</c> and <c>Replace</c>.</summary>
internal static class PatternJson
{
    public static SplitPreTokeniser Split(JsonPlace node)
    {
        (JsonPlace text, bool isRegex) = Pattern(node["pattern"]);
        return new(text.Text(), isRegex, Behavior(node["behavior"]), node["invert"].Boolean(missing: false), text.File, text.Path);
    }

    public static ReplaceStage Replace(JsonPlace node)
    {
        (JsonPlace text, bool isRegex) = Pattern(node["pattern"]);
        return new(text.Text(), isRegex, node["content"].Text(TokenizerLimits.MaxTokenLength), text.File, text.Path);
    }

    public static SplitBehavior Behavior(JsonPlace node)
    {
        string name = node.Text();
        return Enum.TryParse(name, ignoreCase: false, out SplitBehavior behavior) && Enum.IsDefined(behavior) && !char.IsAsciiDigit(name[0])
            ? behavior
            : throw node.Wrong($"'{Vocabulary.Shown(name)}'; wanted one of {string.Join(", ", Enum.GetNames<SplitBehavior>())}.");
    }

    private static (JsonPlace Text, bool IsRegex) Pattern(JsonPlace node)
    {
        JsonPlace regex = node["Regex"];
        return regex.IsNull ? (node["String"], false) : (regex, true);
    }
}
