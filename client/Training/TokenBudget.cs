using Federated.Client.Data;

namespace Federated.Client.Training;

/// <summary>Bounds the memory that a file's tokens take: they stay there for as long as training lasts.</summary>
/// <param name="limit">Most tokens.</param>
internal sealed class TokenBudget(long limit)
{
    /// <summary>Share of the machine's memory that tokens may take; the model, its gradients and the optimiser need the rest.</summary>
    private const int MemoryShare = 4;

    private long _tokens;

    /// <summary>A quarter of this machine's memory.</summary>
    public static TokenBudget OfThisMachine() => new(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / MemoryShare / sizeof(int));

    /// <summary>Counts the tokens of an example.</summary>
    /// <exception cref="DataFormatException">There are more than the limit.</exception>
    public void Add(long tokens, string file, int line)
    {
        _tokens += tokens;
        if (_tokens > limit)
            throw new DataFormatException(file, line, $"the examples up to here have {_tokens:N0} tokens; this machine's memory holds {limit:N0}. Split the file, or cut examples shorter with --max-tokens.");
    }
}
