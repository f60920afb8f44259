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

/// <summary>JSON for machines: snake case, generated at compile time.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(EvaluationOutput))]
[JsonSerializable(typeof(TrainingOutput))]
public sealed partial class CommandJson : JsonSerializerContext;
