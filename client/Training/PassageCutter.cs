using Federated.Client.Tokenizers;

namespace Federated.Client.Training;

/// <summary>Cuts documents into passages that a language model can read at once.</summary>
/// <remarks>
/// A document that is too long is cut into pieces of nearly equal length. Every passage begins with the special tokens that the tokenizer puts
/// before a text and ends with the end-of-text token. Where a document goes on after a passage, nobody could tell that the passage ends there:
/// that end is not to be predicted, and neither are the special tokens in front.
/// </remarks>
public sealed class PassageCutter
{
    private readonly ITokenizer _tokenizer;
    private readonly int[] _front;
    private readonly int? _end;
    private readonly int _room;
    private readonly List<int> _ids = [];

    /// <summary>Prepares for passages of a length.</summary>
    /// <param name="tokenizer">Makes the tokens.</param>
    /// <param name="end">The token after each passage; null for none.</param>
    /// <param name="longest">Longest passage in tokens, special ones included.</param>
    /// <exception cref="ArgumentException">The length leaves no room for text.</exception>
    public PassageCutter(ITokenizer tokenizer, int? end, int longest)
    {
        ArgumentNullException.ThrowIfNull(tokenizer);
        (_tokenizer, _end) = (tokenizer, end);
        _front = [.. tokenizer.Template.ForOne.TakeWhile(part => !part.IsText).SelectMany(part => part.Tokens)];
        _room = longest - _front.Length - (end is null ? 0 : 1);
        if (_room < 1)
            throw new ArgumentException($"Passages of {longest} tokens have no room for text beside {longest - _room} special ones; wanted {longest - _room + 1} or more.", nameof(longest));
    }

    /// <summary>The passages of a document, in order; none of an empty one.</summary>
    public IReadOnlyList<TaskRow> Cut(string document)
    {
        _ids.Clear();
        _tokenizer.Encode(document, _ids, addSpecialTokens: false);
        TaskRow[] passages = new TaskRow[(_ids.Count + _room - 1) / _room];
        for (int i = 0; i < passages.Length; i++)
        {
            int start = (int)((long)_ids.Count * i / passages.Length), end = (int)((long)_ids.Count * (i + 1) / passages.Length);
            passages[i] = Passage(start, end, isLast: i == passages.Length - 1);
        }

        return passages;
    }

    private TaskRow Passage(int start, int end, bool isLast)
    {
        int[] tokens = new int[_front.Length + end - start + (_end is null ? 0 : 1)];
        _front.CopyTo(tokens, 0);
        _ids.CopyTo(start, tokens, _front.Length, end - start);
        if (_end is { } token)
            tokens[^1] = token;

        bool learnsAll = _front.Length == 0 && (isLast || _end is null);
        return new(tokens) { Learned = learnsAll ? null : [new(_front.Length, isLast ? tokens.Length : _front.Length + end - start)] };
    }
}
