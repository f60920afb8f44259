namespace Federated.Simulations.Data;

/// <summary>Groups texts so that any two with a shingle similarity of the threshold or more are in one group.</summary>
/// <remarks>
/// Exact, not sampled: candidates come from prefix filtering, which provably misses no pair (Bayardo, Ma, Srikant, "Scaling Up All
/// Pairs Similarity Search", WWW 2007; Chaudhuri, Ganti, Kaushik, ICDE 2006), and each is verified by its exact Jaccard similarity.
/// With shingles ordered from rare to frequent, J(x, y) ≥ t implies that the first |x| − ⌈t·|x|⌉ + 1 shingles of x and the
/// same of y have one in common. Groups are the connected components, so a chain of similar texts stays together.
/// </remarks>
public static class NearDuplicates
{
    /// <summary>Finds the groups.</summary>
    /// <param name="shingles">For each text its sorted distinct shingles.</param>
    /// <param name="threshold">Similarity t in (0, 1] from which two texts belong together.</param>
    /// <returns>For each text the index of the first text of its group.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="threshold"/> is outside (0, 1].</exception>
    public static int[] Group(IReadOnlyList<ulong[]> shingles, double threshold)
    {
        if (!(threshold is > 0 and <= 1))
            throw new ArgumentOutOfRangeException(nameof(threshold), threshold, "The similarity threshold must be above 0 and at most 1.");

        int[] parent = [.. Enumerable.Range(0, shingles.Count)];
        Dictionary<ulong, int> frequency = Frequencies(shingles);
        Dictionary<ulong, List<int>> index = [];
        HashSet<int> candidates = [];
        for (int text = 0; text < shingles.Count; text++)
        {
            candidates.Clear();
            foreach (ulong shingle in Prefix(shingles[text], frequency, threshold))
            {
                if (!index.TryGetValue(shingle, out List<int>? texts))
                    index[shingle] = texts = [];

                candidates.UnionWith(texts);
                texts.Add(text);
            }

            foreach (int other in candidates)
            {
                if (Find(parent, other) != Find(parent, text) && Shingles.Jaccard(shingles[other], shingles[text]) >= threshold)
                    Join(parent, other, text);
            }
        }

        return [.. parent.Select((_, text) => Find(parent, text))];
    }

    private static Dictionary<ulong, int> Frequencies(IReadOnlyList<ulong[]> shingles)
    {
        Dictionary<ulong, int> frequency = [];
        foreach (ulong shingle in shingles.SelectMany(set => set))
            frequency[shingle] = frequency.GetValueOrDefault(shingle) + 1;

        return frequency;
    }

    private static IEnumerable<ulong> Prefix(ulong[] set, Dictionary<ulong, int> frequency, double threshold)
    {
        // The small allowance keeps a product such as 0.1·30 = 3.0000000000000004 from being rounded up to 4.
        int length = set.Length - (int)Math.Ceiling((threshold * set.Length) - 1e-9) + 1;
        return set.OrderBy(shingle => frequency[shingle]).ThenBy(shingle => shingle).Take(length);
    }

    private static int Find(int[] parent, int text)
    {
        while (parent[text] != text)
            text = parent[text] = parent[parent[text]];

        return text;
    }

    // The smaller index becomes the root, so a group is named by its first text.
    private static void Join(int[] parent, int first, int second)
    {
        int a = Find(parent, first);
        int b = Find(parent, second);
        parent[Math.Max(a, b)] = Math.Min(a, b);
    }
}
