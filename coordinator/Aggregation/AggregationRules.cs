using System.Collections.Frozen;

namespace Federated.Coordinator.Aggregation;

/// <summary>The rules that this coordinator has, by name.</summary>
public sealed class AggregationRules
{
    /// <summary>Averages A and B separately: <see cref="Aggregation.FedIt"/>.</summary>
    public const string FedIt = "fedit";

    /// <summary>Averages A, corrects B: <see cref="Aggregation.LoraFair"/>.</summary>
    public const string LoraFair = "lora-fair";

    private readonly FrozenDictionary<string, Func<RuleOptions, IAggregationRule>> _makers;

    /// <summary>Makes a registry.</summary>
    /// <param name="makers">A name and a maker for each rule.</param>
    /// <exception cref="ArgumentException">A name occurs twice.</exception>
    public AggregationRules(IEnumerable<KeyValuePair<string, Func<RuleOptions, IAggregationRule>>> makers)
    {
        // A frozen dictionary would let the last of two win: an ordinary one refuses the second.
        Dictionary<string, Func<RuleOptions, IAggregationRule>> unique = new(StringComparer.Ordinal);
        foreach ((string name, Func<RuleOptions, IAggregationRule> make) in makers)
        {
            if (!unique.TryAdd(name, make))
                throw new ArgumentException($"Two aggregation rules are named '{name}'; give one of them another name.", nameof(makers));
        }

        _makers = unique.ToFrozenDictionary(StringComparer.Ordinal);
    }

    /// <summary>Every rule of this product: a new one is a line here.</summary>
    public static AggregationRules Default { get; } = new(
    [
        new(FedIt, static options => new FedIt()),
        new(LoraFair, static options => new LoraFair(options)),
    ]);

    /// <summary>All names, in ordinal order.</summary>
    public IEnumerable<string> Names => _makers.Keys.Order(StringComparer.Ordinal);

    /// <summary>Makes a rule with its options.</summary>
    /// <param name="path">Where the rule stands in the run's description, for messages, for example <c>method</c>.</param>
    /// <param name="name">Name of the rule.</param>
    /// <param name="options">Options as text, by name; those not given have defaults.</param>
    /// <param name="errors">Receives one sentence for each thing that is wrong, all of them at once.</param>
    /// <returns>The rule; null when <paramref name="errors"/> has received anything.</returns>
    public IAggregationRule? Create(string path, string name, IReadOnlyDictionary<string, string> options, ICollection<string> errors)
    {
        if (!_makers.TryGetValue(name, out Func<RuleOptions, IAggregationRule>? make))
        {
            errors.Add($"{path}.name is '{name}'; known rules: {string.Join(", ", Names)}.");
            return null;
        }

        int before = errors.Count;
        RuleOptions reader = new(path, options, errors);
        IAggregationRule rule = make(reader);
        reader.RefuseUnknown(name);
        return errors.Count == before ? rule : null;
    }
}
