using MessagePack;

namespace Federated.Shared.Protocol;

/// <summary>What an agent announces before it sends an update, and what the journal keeps once it is accepted.</summary>
/// <remarks>(<see cref="Run"/>, <see cref="Round"/>, <see cref="Attempt"/>, <see cref="Site"/>) is the idempotency key.</remarks>
[MessagePackObject]
public sealed record UpdateManifest
{
    /// <summary>Run of the plan this answers.</summary>
    [Key(0)] public required string Run { get; init; }

    /// <summary>Round of the plan.</summary>
    [Key(1)] public required int Round { get; init; }

    /// <summary>Attempt of the plan.</summary>
    [Key(2)] public required int Attempt { get; init; }

    /// <summary>The sender; must be who the token says.</summary>
    [Key(3)] public required string Site { get; init; }

    /// <summary>The update itself: a safetensors file with the plan's tensors, float32.</summary>
    [Key(4)] public required BlobReference Content { get; init; }

    /// <summary>Examples in the site's training split: the weight of the update, more than 0.</summary>
    [Key(5)] public required long Examples { get; init; }

    /// <summary>How training went.</summary>
    [Key(6)] public required UpdateMetrics Metrics { get; init; }
}

/// <summary>Aggregate numbers about local training; nothing of a single record.</summary>
[MessagePackObject]
public sealed record UpdateMetrics
{
    /// <summary>Mean training loss over the round's steps.</summary>
    [Key(0)] public required double TrainingLoss { get; init; }

    /// <summary>Examples held out for evaluation; 0 when there are none, and the hold-out numbers below are then 0.</summary>
    [Key(1)] public required long HoldoutExamples { get; init; }

    /// <summary>Loss of the round's starting adapter on the hold-out, in nats; its exponential is a language model's perplexity.</summary>
    [Key(2)] public required double HoldoutLoss { get; init; }

    /// <summary>Accuracy of the round's starting adapter on the hold-out, in [0, 1]; 0 for a language model.</summary>
    [Key(3)] public required double HoldoutAccuracy { get; init; }

    /// <summary>Tokens trained on, padding left out.</summary>
    [Key(4)] public required long Tokens { get; init; }

    /// <summary>Seconds of training.</summary>
    [Key(5)] public required double Seconds { get; init; }
}
