using Federated.Shared.Randomness;

namespace Federated.Simulations.Partitioners;

/// <summary>How <see cref="DirichletPartitioner"/> deals samples to clients.</summary>
public sealed record DirichletOptions
{
    /// <summary>Concentration α above 0: 0.1 gives nearly one group a client, 100 nearly equal shares.</summary>
    public double Alpha { get; init; } = 0.5;

    /// <summary>Number of clients, 1 or more.</summary>
    public int Clients { get; init; } = 4;

    /// <summary>Fewest samples that a client may end with, 0 or more. A draw below it is thrown away and repeated.</summary>
    public int MinSize { get; init; } = 20;

    /// <summary>Equal seeds give equal partitions.</summary>
    public ulong Seed { get; init; } = 1;
}

/// <summary>Deals the samples of each group to the clients in shares drawn from a symmetric Dirichlet distribution.</summary>
/// <remarks>
/// Source: Yurochkin et al., "Bayesian Nonparametric Federated Learning of Neural Networks", ICML 2019, section 4, with the minimum
/// size of Li et al., "Federated Learning on Non-IID Data Silos", ICDE 2022. A group is a label or a folder. Gamma deviates come
/// from Marsaglia and Tsang, "A Simple Method for Generating Gamma Variables", ACM TOMS 2000, kept as logarithms, so that a
/// tiny α does not make every share zero.
/// </remarks>
public static class DirichletPartitioner
{
    private const int MaxDraws = 1000;

    /// <summary>Deals samples 0 to n − 1.</summary>
    /// <param name="groups">Group of each sample.</param>
    /// <param name="options">How to deal.</param>
    /// <returns>For each client the indices of its samples, ascending; every sample is in exactly one.</returns>
    /// <exception cref="ArgumentException">An option is out of range, or there are too few samples for the minimum size.</exception>
    /// <exception cref="InvalidOperationException">No draw of a thousand gave every client the minimum size.</exception>
    public static IReadOnlyList<int[]> Partition(IReadOnlyList<string> groups, DirichletOptions options)
    {
        Check(groups.Count, options);
        SplitMix64 random = new(options.Seed);
        int[][] members = [.. Enumerable.Range(0, groups.Count).GroupBy(sample => groups[sample]).OrderBy(group => group.Key, StringComparer.Ordinal).Select(group => group.ToArray())];
        for (int draw = 0; draw < MaxDraws; draw++)
        {
            List<int>[] clients = [.. Enumerable.Range(0, options.Clients).Select(_ => new List<int>())];
            foreach (int[] group in members)
                Deal(group, Shares(options.Alpha, options.Clients, random), clients, random);

            if (clients.All(client => client.Count >= options.MinSize))
                return [.. clients.Select(client => client.Order().ToArray())];
        }

        throw new InvalidOperationException(
            $"{MaxDraws} draws with alpha {options.Alpha} gave some of {options.Clients} clients fewer than {options.MinSize} of {groups.Count} samples. " +
            "Raise --alpha, or lower --min-size or --clients.");
    }

    /// <summary>One draw from the symmetric Dirichlet distribution.</summary>
    /// <param name="alpha">Concentration above 0.</param>
    /// <param name="count">Number of shares, 1 or more.</param>
    /// <param name="random">Advanced by the draw.</param>
    /// <returns>Shares of 0 or more with sum 1.</returns>
    public static double[] Shares(double alpha, int count, SplitMix64 random)
    {
        double[] shares = [.. Enumerable.Range(0, count).Select(_ => LogGamma(alpha, random))];
        double largest = shares.Max();
        for (int i = 0; i < count; i++)
            shares[i] = Math.Exp(shares[i] - largest);

        double sum = shares.Sum();
        for (int i = 0; i < count; i++)
            shares[i] /= sum;

        return shares;
    }

    // Logarithm of a Gamma(alpha, 1) deviate.
    private static double LogGamma(double alpha, SplitMix64 random)
    {
        // Gamma(α) = Gamma(α + 1)·U^(1/α), section 6 of the paper.
        if (alpha < 1)
            return LogGamma(alpha + 1, random) + (Math.Log(random.NextOpenDouble()) / alpha);

        double d = alpha - (1.0 / 3);
        double c = 1 / Math.Sqrt(9 * d);
        while (true)
        {
            double x = random.NextNormal();
            double v = 1 + (c * x);
            if (v <= 0)
                continue;

            v = v * v * v;
            if (Math.Log(random.NextOpenDouble()) < (0.5 * x * x) + d - (d * v) + (d * Math.Log(v)))
                return Math.Log(d * v);
        }
    }

    // Cuts the shuffled group at the rounded running sums of the shares, so that nothing is lost.
    private static void Deal(int[] group, double[] shares, List<int>[] clients, SplitMix64 random)
    {
        int[] shuffled = [.. group];
        random.Shuffle(shuffled.AsSpan());
        double running = 0;
        int start = 0;
        for (int client = 0; client < shares.Length; client++)
        {
            running += shares[client];
            int end = client == shares.Length - 1 ? group.Length : (int)Math.Round(running * group.Length);
            clients[client].AddRange(shuffled[start..end]);
            start = end;
        }
    }

    private static void Check(int samples, DirichletOptions options)
    {
        List<string> errors = [];
        if (!(double.IsFinite(options.Alpha) && options.Alpha > 0))
            errors.Add($"alpha is {options.Alpha}; it must be a finite number above 0.");

        if (options.Clients < 1)
            errors.Add($"clients is {options.Clients}; it must be 1 or more.");

        if (options.MinSize < 0)
            errors.Add($"min-size is {options.MinSize}; it must be 0 or more.");

        if (errors.Count == 0 && (long)options.Clients * options.MinSize > samples)
            errors.Add($"{options.Clients} clients with at least {options.MinSize} samples each need more than the {samples} there are. Lower --clients or --min-size.");

        if (errors.Count > 0)
            throw new ArgumentException(string.Join(' ', errors), nameof(options));
    }
}
