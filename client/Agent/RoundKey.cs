using Federated.Shared.Protocol;

namespace Federated.Client.Agent;

/// <summary>Which piece of work: one attempt at one round of one run.</summary>
public readonly record struct RoundKey(string Run, int Round, int Attempt)
{
    /// <summary>The key of a plan.</summary>
    public static RoundKey Of(RoundPlan plan)
    {
        ArgumentNullException.ThrowIfNull(plan);
        return new(plan.Run, plan.Round, plan.Attempt);
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Run}, round {Round}, attempt {Attempt}";
}
