namespace Federated.Coordinator.Aggregation;

/// <summary>How far a low-rank aggregate is from the ideal update T = sum_k p_k (s_k / s) B_k A_k, as squared Frobenius norms.</summary>
/// <param name="Ideal">norm(T)^2.</param>
/// <param name="Bias">norm(T - Bbar Abar)^2: what averaging the factors separately would miss.</param>
/// <param name="Residual">norm(T - B' A')^2: what the rule's own result misses.</param>
internal readonly record struct AggregationNorms(double Ideal, double Bias, double Residual)
{
    /// <summary>Layers act side by side: squares add.</summary>
    public static AggregationNorms operator +(AggregationNorms left, AggregationNorms right) =>
        new(left.Ideal + right.Ideal, left.Bias + right.Bias, left.Residual + right.Residual);

    /// <summary>Adds the norms (roots) to a round's diagnostics; those that overflowed are left out.</summary>
    /// <param name="prefix">Layer and slash, or nothing for the whole adapter.</param>
    /// <param name="diagnostics">Receives them.</param>
    public void AddTo(string prefix, IDictionary<string, double> diagnostics)
    {
        foreach ((string name, double square) in (ReadOnlySpan<(string, double)>)[("ideal_norm", Ideal), ("bias_norm", Bias), ("residual_norm", Residual)])
        {
            // Rounding may leave a hair below zero where the norm is zero.
            if (double.IsFinite(square))
                diagnostics[prefix + name] = Math.Sqrt(Math.Max(0, square));
        }
    }
}
