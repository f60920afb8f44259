using Federated.Shared.Tensors;

namespace Federated.Coordinator.Aggregation;

/// <summary>LoRA-FAIR in closed form: A is averaged, B corrected so that B' Abar comes closest to the mean of the clients' products.</summary>
/// <remarks>
/// Source: Bian, Wang, Zhang, Xu, "LoRA-FAIR: Federated LoRA Fine-Tuning with Aggregation and Initialization Refinement", ICCV 2025, arXiv:2411.14961.
/// With weights p_k, scalings s_k, the plan's scaling s and T = sum_k p_k (s_k / s) B_k A_k:
///   Abar = sum_k p_k A_k,   Bbar = sum_k p_k B_k,   G = Abar Abar^T,   C = T Abar^T = sum_k p_k (s_k / s) B_k (A_k Abar^T),
///   B' = argmin norm(T - B Abar)^2 + l norm(B - Bbar)^2 = (C + l Bbar)(G + l I)^-1,   l = lambda tr(G) / r.
/// Deviations: the paper minimises 1 - cosine plus l norm(dB) by gradient descent; the squared distance has this unique solution, sees scale, and
/// takes an r x r solve. lambda is relative to the mean diagonal of G, so it means the same whatever the width of the layer and the size of A:
/// the paper's 0.01 at A's usual initialisation, where E[G] = I / 3, is the default 0.03. lambda = 0 takes the pseudo-inverse where G is singular,
/// which is the limit for small lambda; a large lambda gives <see cref="FedIt"/>.
/// Ranks may differ: missing rows of A_k and columns of B_k count as zero. Tensors that are no LoRA factors are averaged (FedAvg).
/// Options: <c>lambda</c>, 0 or more; <c>norms</c>, <c>on</c> (default) or <c>off</c>: norm(T), norm(T - Bbar Abar) and norm(T - B' Abar), for
/// each layer and for all. No m x n matrix is formed, but they are most of the work when there are many updates: it grows with K^2, the rest with K.
/// State: none. Memory: one layer's factors a thread, however many updates there are.
/// </remarks>
public sealed class LoraFair : IAggregationRule
{
    /// <summary>lambda when none is given.</summary>
    public const double DefaultLambda = 0.03;

    private readonly double _lambda;
    private readonly bool _norms;

    /// <summary>Reads the options.</summary>
    /// <param name="options">Named in the remarks; wrong ones are reported there.</param>
    public LoraFair(RuleOptions options)
    {
        _lambda = options.Number("lambda", DefaultLambda, minimum: 0, maximum: 1e12);
        _norms = options.Choice("norms", "on", "off") == "on";
    }

    /// <inheritdoc/>
    public string Name => AggregationRules.LoraFair;

    /// <inheritdoc/>
    public AggregationResult Aggregate(AggregationRound round, Stream output, CancellationToken cancellation)
    {
        using SafetensorsWriter writer = AdapterLayout.OpenWriter(round, output);
        List<FoldStep> steps = Plan(round, writer.Tensors);
        FoldPipeline.Run(steps, writer, round.Threads, cancellation);
        writer.Complete();
        return new(_norms ? Diagnostics(steps.OfType<LoraFairLayer>()) : [], State: null);
    }

    private List<FoldStep> Plan(AggregationRound round, IReadOnlyList<TensorInfo> tensors)
    {
        List<FoldStep> steps = [];
        for (int i = 0; i < tensors.Count; i++)
        {
            if (!LoraPair.IsFactor(tensors[i].Name, out string? layer))
            {
                steps.AddRange(WeightedMean.Steps(round, tensors[i]));
                continue;
            }

            // The two names differ in one letter, so B follows A in the file's order.
            TensorInfo a = tensors[i];
            i++;
            if (i == tensors.Count || !LoraPair.ArePartners(a.Name, tensors[i].Name))
                throw new AggregationException($"The global adapter has one of the LoRA factors of layer '{layer}' but not both.");

            steps.Add(new LoraFairLayer(round, new(round, layer, a, tensors[i]), _lambda, _norms));
        }

        return steps;
    }

    private static Dictionary<string, double> Diagnostics(IEnumerable<LoraFairLayer> layers)
    {
        Dictionary<string, double> diagnostics = new(StringComparer.Ordinal);
        AggregationNorms total = default;
        foreach (LoraFairLayer layer in layers)
        {
            layer.Norms.AddTo($"{layer.Layer}/", diagnostics);
            total += layer.Norms;
        }

        total.AddTo("", diagnostics);
        return diagnostics;
    }
}
