namespace Federated.Client.Models;

/// <summary>Which keys of its row a query sees.</summary>
/// <param name="Causal">Only those up to its own place; otherwise all.</param>
/// <param name="Window">Causal only: no more than this many, itself among them (Beltagy et al. 2020, arXiv:2004.05150, as in Mistral); null for no bound.</param>
internal readonly record struct AttentionPattern(bool Causal, int? Window = null)
{
    internal static AttentionPattern Full => new(false);

    internal static AttentionPattern UpToSelf => new(true);

    /// <summary>The first key that the query at <paramref name="place"/> sees.</summary>
    internal int First(int place) => Window is { } window ? Math.Max(0, place - window + 1) : 0;

    /// <summary>The key after the last one that the query at <paramref name="place"/> sees, of <paramref name="keys"/>.</summary>
    internal int End(int place, int keys) => Causal ? place + 1 : keys;

    /// <summary>This pattern over rows of at most <paramref name="longest"/> keys: a window that bounds nothing there is none.</summary>
    internal AttentionPattern Over(int longest) => Window >= longest ? this with { Window = null } : this;
}
