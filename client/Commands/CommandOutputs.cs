using System.Text.Json.Serialization;

namespace Federated.Client.Commands;

/// <summary>What <c>client evaluate --json</c> prints.</summary>
/// <param name="Examples">Examples of the data.</param>
/// <param name="Results">One entry an adapter, in the order given.</param>
public sealed record EvaluationOutput(long Examples, IReadOnlyList<AdapterScore> Results);

/// <summary>Scores of one adapter.</summary>
/// <param name="Adapter">The folder as given; null for the base model alone.</param>
/// <param name="Loss">Mean cross-entropy, in nats.</param>
/// <param name="Accuracy">Share of right answers, in [0, 1].</param>
/// <param name="F1">F1 of the last label, or the mean over labels when there are more than two.</param>
public sealed record AdapterScore(string? Adapter, double Loss, double Accuracy, double F1);

/// <summary>What <c>client train --json</c> prints.</summary>
/// <param name="Adapter">Folder with the adapter.</param>
/// <param name="Steps">Optimiser steps done.</param>
/// <param name="Loss">Mean training loss.</param>
/// <param name="Tokens">Tokens trained on.</param>
/// <param name="Seconds">Time of training.</param>
/// <param name="HoldoutExamples">Examples held out.</param>
/// <param name="HoldoutLoss">Mean cross-entropy on them after training, in nats; null without any.</param>
/// <param name="HoldoutAccuracy">Share of right answers on them, in [0, 1]; null without any.</param>
public sealed record TrainingOutput(
    string Adapter, int Steps, double Loss, long Tokens, double Seconds, long HoldoutExamples, double? HoldoutLoss, double? HoldoutAccuracy);

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

/// <summary>JSON for machines: snake case, generated at compile time.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(EvaluationOutput))]
[JsonSerializable(typeof(TrainingOutput))]
[JsonSerializable(typeof(GenerationOutput))]
public sealed partial class CommandJson : JsonSerializerContext;
