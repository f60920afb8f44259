namespace Federated.Client.Tokenizers.Bpe;

/// <summary>Counts how often each word occurs in texts, without a string for words seen before.</summary>
internal sealed class WordCounter
{
    private const int ProgressStep = 1024;

    private readonly IReadOnlyList<IPreTokeniser> _stages;
    private readonly TextBuffer[] _buffers;
    private readonly List<TextPiece>[] _pieces;
    private readonly Dictionary<string, long> _counts = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long>.AlternateLookup<ReadOnlySpan<char>> _countsBySpan;

    private WordCounter(IReadOnlyList<IPreTokeniser> stages)
    {
        _stages = stages;
        _buffers = [.. stages.Select(_ => new TextBuffer())];
        _pieces = [.. stages.Select(_ => new List<TextPiece>())];
        _countsBySpan = _counts.GetAlternateLookup<ReadOnlySpan<char>>();
    }

    /// <summary>The words that <paramref name="stages"/> cut the texts into, with their counts.</summary>
    public static Dictionary<string, long> Count(
        IEnumerable<string> texts, IReadOnlyList<IPreTokeniser> stages, IProgress<BpeTrainingProgress>? progress, CancellationToken cancellation)
    {
        WordCounter counter = new(stages);
        int read = 0;
        foreach (string text in texts)
        {
            cancellation.ThrowIfCancellationRequested();
            counter.Add(text, stage: 0, begins: true);
            if (++read % ProgressStep == 0)
                progress?.Report(new(BpeTrainingStage.CountingWords, read, 0));
        }

        progress?.Report(new(BpeTrainingStage.CountingWords, read, 0));
        return counter._counts;
    }

    private void Add(ReadOnlySpan<char> text, int stage, bool begins)
    {
        if (stage == _stages.Count)
        {
            _countsBySpan.TryGetValue(text, out long count);
            _countsBySpan[text] = count + 1;
            return;
        }

        List<TextPiece> pieces = _pieces[stage];
        pieces.Clear();
        text = _stages[stage].Prepare(text, _buffers[stage], begins);
        _stages[stage].Split(text, pieces);
        foreach (TextPiece piece in pieces)
            Add(text.Slice(piece.Start, piece.Length), stage + 1, begins && piece.Start == 0);
    }
}
