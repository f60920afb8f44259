using Federated.Client.Tokenizers.PreTokenisers;

namespace Federated.Client.Tokenizers.Files;

/// <summary>Reads the <c>Split</c> pre-tokenizer of <c>tokenizer.json</c>.</summary>
internal static class SplitJson
{
    public static SplitPreTokeniser Read(JsonPlace node)
    {
        JsonPlace pattern = node["pattern"];
        JsonPlace regex = pattern["Regex"];
        JsonPlace text = regex.IsNull ? pattern["String"] : regex;
        string name = node["behavior"].Text();
        if (!Enum.TryParse(name, ignoreCase: false, out SplitBehavior behavior) || !Enum.IsDefined(behavior))
            throw node["behavior"].Wrong($"'{Vocabulary.Shown(name)}'; wanted one of {string.Join(", ", Enum.GetNames<SplitBehavior>())}.");

        if (text.Text().Length is 0 or > TokenizerLimits.MaxTokenLength)
            throw text.Wrong($"a pattern of {text.Text().Length} characters; wanted 1 to {TokenizerLimits.MaxTokenLength}.");

        try
        {
            return new(text.Text(), isRegex: !regex.IsNull, behavior, node["invert"].Boolean(missing: false));
        }
        catch (ArgumentException wrong)
        {
            throw text.Wrong($"a pattern that .NET cannot run ({wrong.Message}); wanted one without possessive quantifiers or names of scripts.");
        }
    }
}
