using System.Collections.Immutable;
using Federated.Coordinator.Store;

namespace Federated.Coordinator.Rounds;

/// <summary>What follows from an event: facts to make durable, then things to do, and the state after both.</summary>
/// <param name="State">State with the facts applied.</param>
/// <param name="Records">Facts, to be made durable in one transaction before any effect.</param>
/// <param name="Effects">Things to do, in order.</param>
internal sealed record RunDecision(RunState State, ImmutableList<IRunRecord> Records, ImmutableList<RunEffect> Effects)
{
    /// <summary>Nothing happens.</summary>
    public static RunDecision None(RunState state) => new(state, [], []);

    /// <summary>With one more fact, applied to the state.</summary>
    public RunDecision Record(IRunRecord record, TimeSpan now) =>
        this with { State = State.Apply(record, now), Records = Records.Add(record) };

    /// <summary>With more things to do.</summary>
    public RunDecision Do(params IEnumerable<RunEffect> effects) => this with { Effects = Effects.AddRange(effects) };

    /// <summary>With another state, by something that is not a durable fact.</summary>
    public RunDecision Become(Func<RunState, RunState> change) => this with { State = change(State) };
}
