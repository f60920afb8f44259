using System.Text;
using System.Text.RegularExpressions;
using Federated.Client.Tokenizers.Bpe;

namespace Federated.Client.Tests.Tokenizers;

/// <summary>Byte-level BPE as the papers tell it, without any data structure: the slow yardstick for trainer and encoder.</summary>
internal static partial class ReferenceBpe
{
    [GeneratedRegex(@"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+", RegexOptions.CultureInvariant)]
    public static partial Regex Gpt2Pattern { get; }

    /// <summary>Merges learned by counting all pairs of all words anew for each one.</summary>
    public static List<BpeMerge> Train(IEnumerable<string> texts, int specialTokens, int size, int minimum)
    {
        char[] alphabet = [.. ByteAlphabet.CharsInOrder];
        List<string> tokens = [.. Enumerable.Range(0, specialTokens).Select(index => $"special {index}"), .. alphabet.Select(character => character.ToString())];
        List<List<string>> words = [.. texts.SelectMany(text => Gpt2Pattern.Matches(text)).Select(match => Symbols(match.Value))];
        List<BpeMerge> merges = [];
        while (tokens.Count < size)
        {
            var best = words
                .SelectMany(word => word.Zip(word.Skip(1)))
                .CountBy(pair => pair)
                .Where(counted => counted.Value >= minimum && !merges.Any(merge => tokens[merge.Left] == counted.Key.First && tokens[merge.Right] == counted.Key.Second))
                .Select(counted => (counted.Value, Left: tokens.IndexOf(counted.Key.First), Right: tokens.IndexOf(counted.Key.Second)))
                .OrderByDescending(pair => pair.Value).ThenBy(pair => pair.Left).ThenBy(pair => pair.Right)
                .Cast<(int, int Left, int Right)?>()
                .FirstOrDefault();
            if (best is not var (_, left, right))
                break;

            string result = tokens[left] + tokens[right];
            words = [.. words.Select(word => Apply(word, tokens[left], tokens[right]))];
            if (!tokens.Contains(result))
                tokens.Add(result);

            merges.Add(new(left, right, tokens.IndexOf(result)));
        }

        return merges;
    }

    /// <summary>The tokens of one word: the earliest merge that applies, at its leftmost place, until none applies.</summary>
    public static List<string> Encode(string word, IReadOnlyDictionary<(string Left, string Right), int> ranks)
    {
        List<string> symbols = Symbols(word);
        while (true)
        {
            int place = -1, rank = int.MaxValue;
            for (int i = 0; i + 1 < symbols.Count; i++)
            {
                int found = ranks.GetValueOrDefault((symbols[i], symbols[i + 1]), int.MaxValue);
                if (found < rank)
                    (place, rank) = (i, found);
            }

            if (place < 0)
                return symbols;

            symbols[place] += symbols[place + 1];
            symbols.RemoveAt(place + 1);
        }
    }

    private static List<string> Symbols(string word) => [.. Encoding.UTF8.GetBytes(word).Select(value => ByteAlphabet.CharOf(value).ToString())];

    private static List<string> Apply(List<string> word, string left, string right)
    {
        List<string> merged = [];
        for (int i = 0; i < word.Count; i++)
        {
            bool found = i + 1 < word.Count && word[i] == left && word[i + 1] == right;
            merged.Add(found ? left + right : word[i]);
            i += found ? 1 : 0;
        }

        return merged;
    }
}
