using System.Text.Json.Serialization;

namespace Federated.Client.Commands;

/// <summary>What <c>client evaluate --json</c> prints.</summary>
/// <param name="Objective">The task.</param>
/// <param name="Examples">Examples of the data.</param>
/// <param name="Results">One entry an adapter, in the order given.</param>
public sealed record EvaluationOutput(string Objective, long Examples, IReadOnlyList<EvaluationScore> Results);

/// <summary>Scores of one adapter, over all examples or over those of a group. What the task does not have is null, and so is what no example has.</summary>
public sealed record EvaluationScore
{
    /// <summary>The adapter's folder as given; null for the base model alone, and for a group.</summary>
    public string? Adapter { get; init; }

    /// <summary>The group's name; null for all examples.</summary>
    public string? Group { get; init; }

    /// <summary>Number of examples; of plain text, of passages.</summary>
    public required long Examples { get; init; }

    /// <summary>Mean cross-entropy of a prediction or an example, in nats.</summary>
    public double? Loss { get; init; }

    /// <summary>e^loss of a language model.</summary>
    public double? Perplexity { get; init; }

    /// <summary>Share of right answers, in [0, 1].</summary>
    public double? Accuracy { get; init; }

    /// <summary>F1 of the positive class: the last of two; null when there are more.</summary>
    public double? F1 { get; init; }

    /// <summary>Unweighted mean of every class's F1.</summary>
    public double? MacroF1 { get; init; }

    /// <summary>Expected calibration error over 15 bins of equal width, in [0, 1].</summary>
    public double? CalibrationError { get; init; }

    /// <summary>Scores of each group, by name; null for a group, and where none were asked for.</summary>
    public IReadOnlyList<EvaluationScore>? Groups { get; init; }
}

/// <summary>What <c>client train --json</c> prints.</summary>
public sealed record TrainingOutput
{
    /// <summary>The task.</summary>
    public required string Objective { get; init; }

    /// <summary>Folder with the adapter; null when the whole model was trained.</summary>
    public string? Adapter { get; init; }

    /// <summary>Folder with the whole model; null when an adapter was trained.</summary>
    public string? Model { get; init; }

    /// <summary>Optimiser steps done, those before an interruption included.</summary>
    public required int Steps { get; init; }

    /// <summary>Mean training loss since the start or the last interruption; null without a step.</summary>
    public double? Loss { get; init; }

    /// <summary>Tokens, or images, trained on since then.</summary>
    public required long Tokens { get; init; }

    /// <summary>Time of training since then.</summary>
    public required double Seconds { get; init; }

    /// <summary>Examples held out.</summary>
    public required long HoldoutExamples { get; init; }

    /// <summary>Mean cross-entropy on them after training, in nats; null without any.</summary>
    public double? HoldoutLoss { get; init; }

    /// <summary>Share of right answers on them, in [0, 1]; null without any, and for a language model.</summary>
    public double? HoldoutAccuracy { get; init; }

    /// <summary>e^loss on them; null without any, and for a classifier.</summary>
    public double? HoldoutPerplexity { get; init; }
}

/// <summary>What <c>client generate --json</c> prints.</summary>
/// <param name="Text">The continuation, without the prompt.</param>
/// <param name="PromptTokens">Tokens of the prompt.</param>
/// <param name="Tokens">New tokens; one that ends the text is not counted.</param>
/// <param name="FinishReason"><c>end-of-text</c>, <c>stop-text</c>, <c>context-full</c> or <c>max-new-tokens</c>.</param>
/// <param name="FirstTokenSeconds">Time until the first new token.</param>
/// <param name="Seconds">Time of the whole.</param>
public sealed record GenerationOutput(string Text, int PromptTokens, int Tokens, string FinishReason, double FirstTokenSeconds, double Seconds)
{
    /// <summary>New tokens after the first, a second; 0 with fewer than two.</summary>
    public double TokensPerSecond => Tokens < 2 ? 0 : (Tokens - 1) / (Seconds - FirstTokenSeconds);
}

/// <summary>What <c>client merge --json</c> prints.</summary>
/// <param name="Model">The new folder.</param>
/// <param name="PeftType">PEFT's name for the kind of adapter that was merged.</param>
/// <param name="Parameters">Numbers in the model.</param>
/// <param name="DType">How they are stored: F32, F16 or BF16.</param>
/// <param name="Bytes">Length of the tensor file.</param>
public sealed record MergeOutput(string Model, string PeftType, long Parameters, [property: JsonPropertyName("dtype")] string DType, long Bytes);

/// <summary>Numbers that JSON can hold.</summary>
internal static class JsonNumber
{
    /// <summary>The number, null if it is none or infinite.</summary>
    public static double? Finite(double? value) => value is { } number && double.IsFinite(number) ? number : null;
}

/// <summary>JSON for machines: snake case, generated at compile time.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(EvaluationOutput))]
[JsonSerializable(typeof(TrainingOutput))]
[JsonSerializable(typeof(GenerationOutput))]
[JsonSerializable(typeof(MergeOutput))]
[JsonSerializable(typeof(SortedDictionary<string, string>))]
public sealed partial class CommandJson : JsonSerializerContext;
