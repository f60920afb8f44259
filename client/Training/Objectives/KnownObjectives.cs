using System.Collections.Frozen;

namespace Federated.Client.Training.Objectives;

/// <summary>The objectives by name: a new one is one file and one line here.</summary>
public static class KnownObjectives
{
    /// <summary>Next-token prediction.</summary>
    public const string CausalLanguageModel = "causal-lm";

    /// <summary>Next-token prediction of the answers to instructions.</summary>
    public const string Instruction = "instruction";

    /// <summary>Prediction of tokens that were masked.</summary>
    public const string MaskedLanguageModel = "masked-lm";

    /// <summary>One class a text.</summary>
    public const string Classification = "sequence-classification";

    /// <summary>One class an image.</summary>
    public const string ImageClassification = "image-classification";

    /// <summary>Any number of labels a text.</summary>
    public const string MultiLabel = "multi-label";

    /// <summary>Numbers for a text.</summary>
    public const string Regression = "regression";

    private static readonly FrozenDictionary<string, IObjective> Known = new IObjective[]
    {
        new CausalLanguageModelObjective(), new MaskedLanguageModelObjective(), new ClassificationObjective(), TargetObjective.MultiLabel, TargetObjective.Regression,
    }.ToFrozenDictionary(objective => objective.Name, StringComparer.Ordinal);

    /// <summary>The objective of that name.</summary>
    /// <exception cref="ArgumentException">Unknown; the message names the known ones.</exception>
    public static IObjective Of(string name) => Known.TryGetValue(name, out IObjective? objective)
        ? objective
        : throw new ArgumentException($"Unknown objective '{name}'; known: {string.Join(", ", Known.Keys.Order(StringComparer.Ordinal))}.", nameof(name));
}
