using MessagePack;

namespace Federated.Shared.Protocol;

/// <summary>All that an agent must know to do its part of one round. Fixed and stored before anyone hears of it.</summary>
[MessagePackObject]
public sealed record RoundPlan
{
    /// <summary>Run this round belongs to.</summary>
    [Key(0)] public required string Run { get; init; }

    /// <summary>Number of the round, from 1.</summary>
    [Key(1)] public required int Round { get; init; }

    /// <summary>Number of the attempt at this round, from 1; a round that missed its quorum is tried again.</summary>
    [Key(2)] public required int Attempt { get; init; }

    /// <summary>Name of the method: it picks the coordinator's aggregation rule and the agent's local trainer.</summary>
    [Key(3)] public required string Method { get; init; }

    /// <summary>The frozen base model.</summary>
    [Key(4)] public required IReadOnlyList<ModelFile> Model { get; init; }

    /// <summary>The global adapter that training starts from (safetensors, PEFT names, float32).</summary>
    [Key(5)] public required BlobReference Global { get; init; }

    /// <summary>Shape of the adapter.</summary>
    [Key(6)] public required AdapterPlan Adapter { get; init; }

    /// <summary>What to train on the local data, and how.</summary>
    [Key(7)] public required TrainingPlan Training { get; init; }

    /// <summary>Seed of the run; a site derives its own from it and its name, and knows by <see cref="TrainingPlan.StepOffset"/> where in its order of batches the round begins.</summary>
    [Key(8)] public required ulong Seed { get; init; }

    /// <summary>Hard cap on the L2 norm of the difference between the update and the global adapter; 0 means none.</summary>
    [Key(9)] public required double NormCap { get; init; }
}

/// <summary>One file of a base model folder.</summary>
[MessagePackObject]
public sealed record ModelFile
{
    /// <summary>File name within the folder, no directories.</summary>
    [Key(0)] public required string Name { get; init; }

    /// <summary>Its content.</summary>
    [Key(1)] public required BlobReference Content { get; init; }
}

/// <summary>Content by hash.</summary>
[MessagePackObject]
public sealed record BlobReference
{
    /// <summary>SHA-256, 32 bytes.</summary>
    [Key(0)] public required byte[] Sha256 { get; init; }

    /// <summary>Length in bytes.</summary>
    [Key(1)] public required long Length { get; init; }
}

/// <summary>LoRA factors on named linear layers, in the terms of Hugging Face PEFT.</summary>
[MessagePackObject]
public sealed record AdapterPlan
{
    /// <summary>Rank r of the factors.</summary>
    [Key(0)] public required int Rank { get; init; }

    /// <summary>Numerator of the scaling alpha / r.</summary>
    [Key(1)] public required double Alpha { get; init; }

    /// <summary>Dropout before the A factor, in [0, 1).</summary>
    [Key(2)] public required double Dropout { get; init; }

    /// <summary>Names of the layers, matched at the end of a module's name.</summary>
    [Key(3)] public required IReadOnlyList<string> TargetModules { get; init; }

    /// <summary>Modules that are trained and sent whole, for example the classification head.</summary>
    [Key(4)] public required IReadOnlyList<string> ModulesToSave { get; init; }
}

/// <summary>Local training of one round.</summary>
[MessagePackObject]
public sealed record TrainingPlan
{
    /// <summary>Objective: <c>sequence-classification</c>, <c>image-classification</c>, <c>causal-lm</c> or <c>instruction</c>.</summary>
    [Key(0)] public required string Objective { get; init; }

    /// <summary>Class names in the order of the head's outputs; empty for a language model.</summary>
    [Key(1)] public required IReadOnlyList<string> Labels { get; init; }

    /// <summary>Optimiser steps in this round.</summary>
    [Key(2)] public required int Steps { get; init; }

    /// <summary>Optimiser steps of earlier rounds: where this round stands in the schedule.</summary>
    [Key(3)] public required int StepOffset { get; init; }

    /// <summary>Optimiser steps of the whole run: the schedule's horizon.</summary>
    [Key(4)] public required int TotalSteps { get; init; }

    /// <summary>Steps of linear warm-up at the start of the run.</summary>
    [Key(5)] public required int WarmupSteps { get; init; }

    /// <summary>Schedule after warm-up: <c>cosine</c>, <c>linear</c> or <c>constant</c>.</summary>
    [Key(6)] public required string Schedule { get; init; }

    /// <summary>Peak learning rate.</summary>
    [Key(7)] public required double LearningRate { get; init; }

    /// <summary>Examples in a batch.</summary>
    [Key(8)] public required int BatchSize { get; init; }

    /// <summary>Tokens an example is cut to; says nothing of images.</summary>
    [Key(9)] public required int MaxTokens { get; init; }

    /// <summary>Decoupled weight decay of AdamW.</summary>
    [Key(10)] public required double WeightDecay { get; init; }

    /// <summary>Global gradient norm is clipped to this; 0 means no clipping.</summary>
    [Key(11)] public required double ClipNorm { get; init; }

    /// <summary>Share of the local data held out for evaluation, in [0, 0.5].</summary>
    [Key(12)] public required double HoldoutShare { get; init; }
}
