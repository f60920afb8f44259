using System.Numerics.Tensors;
using Federated.Shared.Randomness;

namespace Federated.Client.Generation;

/// <summary>Chooses tokens by their logits. Keeps its buffers from one token to the next; not safe for concurrent use.</summary>
/// <remarks>In transformers' order: repetition penalty, temperature, the likeliest k, then the likeliest that make up p of what k left.</remarks>
internal sealed class TokenSampler(GenerationOptions options)
{
    private readonly SplitMix64 _random = new(options.Seed);
    private readonly PriorityQueue<int, float> _likeliest = new();
    private readonly List<int> _candidates = [];
    private readonly HashSet<int> _seen = [];
    private float[] _scores = [];

    /// <summary>Tells which tokens are there already.</summary>
    internal void Saw(ReadOnlySpan<int> tokens)
    {
        if (options.RepetitionPenalty == 1)
            return;
        foreach (int token in tokens)
            _seen.Add(token);
    }

    /// <summary>The next token; of equally likely ones the first, when greedy.</summary>
    /// <param name="logits">One a token of the vocabulary, all finite.</param>
    internal int Next(ReadOnlySpan<float> logits)
    {
        if (_scores.Length != logits.Length)
            _scores = new float[logits.Length];
        ReadOnlySpan<float> scores = _seen.Count == 0 ? logits : Penalised(logits);
        if (options.Temperature == 0)
            return TensorPrimitives.IndexOfMax(scores);

        TensorPrimitives.Divide(scores, (float)options.Temperature, _scores);
        TensorPrimitives.SoftMax(_scores, _scores);
        return Draw(Candidates());
    }

    private Span<float> Penalised(ReadOnlySpan<float> logits)
    {
        logits.CopyTo(_scores);
        float penalty = (float)options.RepetitionPenalty;
        foreach (int token in _seen)
            _scores[token] = _scores[token] > 0 ? _scores[token] / penalty : _scores[token] * penalty;
        return _scores;
    }

    /// <summary>The tokens to draw from, likeliest first where order counts.</summary>
    private List<int> Candidates()
    {
        _candidates.Clear();
        if (options.TopK is { } most && most < _scores.Length)
            AddLikeliest(most);
        else if (options.TopP < 1)
            AddAtLeast((1 - options.TopP) / _scores.Length);
        else
            _candidates.AddRange(Enumerable.Range(0, _scores.Length));

        if (options.TopP == 1)
            return _candidates;
        _candidates.Sort((one, other) => _scores[one] != _scores[other] ? _scores[other].CompareTo(_scores[one]) : one.CompareTo(other));
        double wanted = options.TopP * (options.TopK is null ? 1 : Sum(_candidates)), sum = 0;
        int count = 0;
        while (count < _candidates.Count && sum < wanted)
            sum += _scores[_candidates[count++]];
        _candidates.RemoveRange(count, _candidates.Count - count);
        return _candidates;
    }

    private void AddLikeliest(int most)
    {
        _likeliest.Clear();
        for (int token = 0; token < _scores.Length; token++)
        {
            if (_likeliest.Count < most)
                _likeliest.Enqueue(token, _scores[token]);
            else if (_likeliest.TryPeek(out _, out float least) && _scores[token] > least)
                _likeliest.DequeueEnqueue(token, _scores[token]);
        }

        foreach ((int token, _) in _likeliest.UnorderedItems)
            _candidates.Add(token);
        // The queue's own order depends on its history; the draw must not.
        _candidates.Sort();
    }

    // All tokens below this share together have less than 1 - p, so none of them is among the likeliest that make up p.
    private void AddAtLeast(double share)
    {
        for (int token = 0; token < _scores.Length; token++)
        {
            if (_scores[token] >= share)
                _candidates.Add(token);
        }
    }

    private int Draw(List<int> candidates)
    {
        double rest = _random.NextOpenDouble() * Sum(candidates);
        foreach (int token in candidates)
        {
            rest -= _scores[token];
            if (rest < 0)
                return token;
        }

        return candidates[^1];
    }

    private double Sum(List<int> candidates)
    {
        double sum = 0;
        foreach (int token in candidates)
            sum += _scores[token];
        return sum;
    }
}
