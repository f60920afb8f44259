using Federated.Client.Models;
using Federated.Shared.Peft;
using Federated.Shared.Randomness;
using Federated.Shared.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace Federated.Client.Adapters;

/// <summary>One adapter of a weighted combination.</summary>
/// <param name="Config">Its settings.</param>
/// <param name="Tensors">Its tensors under their names in the PEFT file.</param>
/// <param name="Weight">Its weight, any number.</param>
public sealed record WeightedAdapter(LoraConfig Config, NamedTensors Tensors, double Weight);

/// <summary>How adapters are combined.</summary>
/// <param name="Type">One of <see cref="WeightedCombination.Types"/>.</param>
public sealed record CombinationOptions(string Type)
{
    /// <summary>Rank of the result for the types that end with svd; null for the highest of the adapters'.</summary>
    public int? SvdRank { get; init; }

    /// <summary>Share of the numbers kept by the types that prune, in [0, 1].</summary>
    public double Density { get; init; } = 1;

    /// <summary>Whether the sign of a sum is elected by counting signs instead of by adding numbers up.</summary>
    public bool SignByFrequency { get; init; }

    /// <summary>Seed of what the types with dare drop.</summary>
    public ulong Seed { get; init; }
}

/// <summary>Makes one LoRA adapter out of several on the same base, as PEFT's <c>add_weighted_adapter</c> does.</summary>
/// <remarks>
/// linear, ties (Yadav et al. 2023, arXiv:2306.01708), magnitude_prune, dare_linear and dare_ties (Yu et al. 2024, arXiv:2311.03099) combine the
/// A's and the B's apart, each adapter by sqrt(|weight · s|), with the sign on A. cat stacks them, with weight · s on A. The types with
/// svd behind combine the changes s·B·A themselves, by weight · s, so that s enters twice there, and cut the result to a rank. In the result the
/// scaling is 1.
/// </remarks>
public static class WeightedCombination
{
    private const string Cat = "cat", Svd = "svd", Linear = "linear", Ties = "ties", Dare = "dare_", Prune = "magnitude_prune";

    /// <summary>The types of combination.</summary>
    public static IReadOnlyList<string> Types { get; } =
    [
        Linear, Cat, Svd, Ties, "dare_linear", "dare_ties", Prune, "ties_svd", "dare_linear_svd", "dare_ties_svd", "magnitude_prune_svd",
    ];

    /// <summary>Combines adapters.</summary>
    /// <param name="adapters">One or more plain LoRA adapters; a single one is only scaled.</param>
    /// <param name="options">How.</param>
    /// <returns>Settings and tensors of the combined adapter.</returns>
    /// <exception cref="PeftFormatException">The adapters or options do not fit together; lists every fault.</exception>
    public static (LoraConfig Config, NamedTensors Tensors) Combine(IReadOnlyList<WeightedAdapter> adapters, CombinationOptions options)
    {
        string type = adapters.Count == 1 ? Linear : options.Type;
        Check(adapters, options, type);
        int[] ranks = [.. adapters.Select(adapter => adapter.Config.RankPattern.Select(entry => entry.Value).Append(adapter.Config.Rank).Max())];
        bool decomposes = type.EndsWith(Svd, StringComparison.Ordinal);
        int rank = type == Cat ? ranks.Sum() : decomposes ? options.SvdRank ?? ranks.Max() : ranks[0];
        LoraConfig config = adapters[0].Config with
        {
            Rank = rank,
            Alpha = rank,
            UseRsLora = false,
            RankPattern = [],
            AlphaPattern = [],
            TargetModules = Targets(adapters),
        };

        using DisposeScope scope = NewDisposeScope();
        using IDisposable _ = no_grad();
        SplitMix64 random = new(options.Seed);
        NamedTensors combined = new();
        foreach (string module in adapters.SelectMany(adapter => adapter.Tensors.Names).Select(PeftNames.Parse).Select(name => name.Module).Distinct(StringComparer.Ordinal))
        {
            using DisposeScope layer = NewDisposeScope();
            Factors[] factors = [.. adapters.Where(adapter => adapter.Tensors.Contains(PeftNames.LoraA(module))).Select(adapter => Factors.Of(adapter, module))];
            (Tensor a, Tensor b) = type == Cat ? Stacked(factors)
                : decomposes ? Cut(Merge(type, [.. factors.Select(factor => factor.B.mm(factor.A) * factor.Scale)], [.. factors.Select(factor => factor.Weight * factor.Scale)], options, random), rank)
                : Apart(type, factors, options, random);
            Add(combined, PeftNames.LoraA(module), a, 0, rank);
            Add(combined, PeftNames.LoraB(module), b, 1, rank);
        }

        return (config, combined);
    }

    private static void Check(IReadOnlyList<WeightedAdapter> adapters, CombinationOptions options, string type)
    {
        List<string> faults = [];
        if (adapters.Count == 0)
            faults.Add("there is no adapter to combine.");
        if (!Types.Contains(options.Type))
            faults.Add($"the type is '{options.Type}'; wanted one of {string.Join(", ", Types)}.");
        if (options.Density is not (>= 0 and <= 1) || (type.Contains("dare", StringComparison.Ordinal) && options.Density == 0))
            faults.Add($"the density is {options.Density}; wanted a share from 0 to 1, above 0 for dare.");
        if (options.SvdRank is < 1)
            faults.Add($"the rank is {options.SvdRank}; wanted 1 or more.");
        if (adapters.Any(adapter => !double.IsFinite(adapter.Weight)))
            faults.Add("a weight is not finite.");
        if (adapters.Select(adapter => adapter.Config.TargetModules.Names is null).Distinct().Count() > 1)
            faults.Add("target_modules is a list of names in some adapters and an expression in others.");
        foreach ((WeightedAdapter adapter, int number) in adapters.Select((adapter, index) => (adapter, index + 1)))
        {
            AdapterFolder.Check(adapter.Config, adapter.Tensors, $"adapter {number}");
            string? other = adapter.Tensors.Names.FirstOrDefault(name => !PeftNames.TryParse(name, out PeftTensorName? parts) || parts.Part is not (PeftPart.LoraA or PeftPart.LoraB) || adapter.Tensors.Shape(name).Count != 2);
            if (other is not null)
                faults.Add($"adapter {number} holds {TensorText.Quote(other)}; only factors of linear layers can be combined.");
        }

        bool apart = type is Linear or Ties or Prune || (type.StartsWith(Dare, StringComparison.Ordinal) && !type.EndsWith(Svd, StringComparison.Ordinal));
        if (apart && adapters.SelectMany(adapter => adapter.Tensors.Names.Select(name => (name, Shape: TensorText.Shape(adapter.Tensors.Shape(name))))).GroupBy(entry => entry.name).Any(group => group.Select(entry => entry.Shape).Distinct().Count() > 1))
            faults.Add($"the adapters' ranks or layers differ; '{type}' combines A with A and B with B, so they have to be the same. Take cat or svd.");
        if (faults.Count > 0)
            throw new PeftFormatException($"The adapters cannot be combined: {string.Join(Environment.NewLine + "  ", faults)}");
    }

    private static ModuleSelector Targets(IReadOnlyList<WeightedAdapter> adapters) => adapters[0].Config.TargetModules.Names is null
        ? adapters.Select(adapter => adapter.Config.TargetModules.Pattern!).Distinct().ToArray() is [var only]
            ? ModuleSelector.OfPattern(only)
            : ModuleSelector.OfPattern(string.Join("|", adapters.Select(adapter => $"({adapter.Config.TargetModules.Pattern})")))
        : ModuleSelector.OfNames([.. adapters.SelectMany(adapter => adapter.Config.TargetModules.Names!).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)]);

    private static (Tensor A, Tensor B) Stacked(Factors[] factors) =>
        (cat([.. factors.Select(factor => factor.A * (factor.Weight * factor.Scale))], 0), cat([.. factors.Select(factor => factor.B)], 1));

    private static (Tensor A, Tensor B) Apart(string type, Factors[] factors, CombinationOptions options, SplitMix64 random)
    {
        double[] roots = [.. factors.Select(factor => Math.Sqrt(Math.Abs(factor.Weight * factor.Scale)))];
        double[] signed = [.. factors.Zip(roots, (factor, root) => factor.Weight * factor.Scale < 0 ? -root : root)];
        return (Merge(type, [.. factors.Select(factor => factor.A)], signed, options, random), Merge(type, [.. factors.Select(factor => factor.B)], roots, options, random));
    }

    private static (Tensor A, Tensor B) Cut(Tensor change, int rank)
    {
        (Tensor u, Tensor s, Tensor vh) = linalg.svd(change, fullMatrices: false);
        long kept = Math.Min(rank, s.shape[0]);
        return (vh.narrow(0, 0, kept), u.narrow(1, 0, kept) * s.narrow(0, 0, kept));
    }

    /// <summary>Prunes, weighs and adds up tensors of one shape.</summary>
    private static Tensor Merge(string type, Tensor[] tensors, double[] weights, CombinationOptions options, SplitMix64 random)
    {
        bool dares = type.StartsWith(Dare, StringComparison.Ordinal);
        if (options.Density < 1 && dares)
            tensors = [.. tensors.Select(tensor => Dropped(tensor, options.Density, random))];
        else if (options.Density < 1 && type is not (Linear or Svd))
            tensors = [.. tensors.Select(tensor => Largest(tensor, options.Density))];
        Tensor all = stack(tensors);
        Tensor weighted = all * tensor(weights, dtype: ScalarType.Float32).view([weights.Length, .. Enumerable.Repeat(1L, tensors[0].shape.Length)]);
        if (!type.Contains(Ties, StringComparison.Ordinal))
            return weighted.sum([0]);

        // The sign with more behind it wins; only numbers that have it count.
        Tensor elected = where((options.SignByFrequency ? all.sign() : all).sum([0]).ge(0), 1f, -1f);
        Tensor agree = all.sign().eq(elected).to(ScalarType.Float32);
        return (weighted * agree).sum([0]) / agree.sum([0]).clamp(min: 1);
    }

    private static Tensor Largest(Tensor values, double density)
    {
        int kept = (int)(density * values.numel());
        Tensor flat = values.flatten(), mask = zeros_like(flat);
        if (kept > 0)
            mask = mask.scatter(0, flat.abs().topk(kept).indexes, ones([kept]));
        return values * mask.view(values.shape);
    }

    private static Tensor Dropped(Tensor values, double density, SplitMix64 random)
    {
        float[] mask = new float[values.numel()];
        for (int i = 0; i < mask.Length; i++)
            mask[i] = random.NextOpenDouble() < density ? (float)(1 / density) : 0;
        return values * tensor(mask, values.shape);
    }

    // Adapters that lack a layer, or a change of lower rank, leave rows of zeros.
    private static void Add(NamedTensors target, string name, Tensor factor, int dimension, int rank)
    {
        long lacking = rank - factor.shape[dimension];
        Tensor whole = lacking == 0 ? factor : cat([factor, zeros(dimension == 0 ? [lacking, factor.shape[1]] : [factor.shape[0], lacking])], dimension);
        target.Add(name, whole.shape, whole.contiguous().Floats().ToArray());
    }

    private sealed record Factors(Tensor A, Tensor B, double Scale, double Weight)
    {
        internal static Factors Of(WeightedAdapter adapter, string module) =>
            new(Read(adapter.Tensors, PeftNames.LoraA(module)), Read(adapter.Tensors, PeftNames.LoraB(module)), adapter.Config.ScalingOf(module), adapter.Weight);

        private static Tensor Read(NamedTensors tensors, string name) => tensor(tensors[name], [.. tensors.Shape(name)]);
    }
}
