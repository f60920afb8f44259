namespace Federated.Simulations.Scenarios;

/// <summary>A simulation: data, model, methods to compare, and the recipe that all of them share.</summary>
public sealed record Scenario
{
    /// <summary>Name, for the report.</summary>
    public required string Name { get; init; }

    /// <summary>Seed of everything that is drawn: partition, initial adapter, batches.</summary>
    public required ulong Seed { get; init; }

    /// <summary>Folder of the base model in Hugging Face layout.</summary>
    public required string Model { get; init; }

    /// <summary>The corpus and how it is dealt out.</summary>
    public required ScenarioData Data { get; init; }

    /// <summary>Class names in the order of the head's outputs; the last one is the positive class of F1.</summary>
    public required string[] Labels { get; init; }

    /// <summary>Rounds of each federated run.</summary>
    public required int Rounds { get; init; }

    /// <summary>Threads of an agent.</summary>
    public int Threads { get; init; } = 1;

    /// <summary>Federated runs, in the order they are made: name to method.</summary>
    public required Dictionary<string, MethodSettings> Methods { get; init; }

    /// <summary>The adapter that every method trains.</summary>
    public required AdapterSettings Adapter { get; init; }

    /// <summary>The local recipe of a round.</summary>
    public required TrainingSettings Training { get; init; }

    /// <summary>Train each mailbox alone and all of them pooled, with the same number of steps, to compare.</summary>
    public bool Baselines { get; init; } = true;

    /// <summary>Rounds from one point of the test curve to the next; the last round's adapter is always scored.</summary>
    public int EvaluateEvery { get; init; } = 1;
}

/// <summary>Where the examples come from.</summary>
public sealed record ScenarioData
{
    /// <summary>The prepared corpus.</summary>
    public required string Corpus { get; init; }

    /// <summary>YAML table of the share of each folder that a mailbox gets; null for the four mailboxes that come with the project.</summary>
    public string? Mailboxes { get; init; }

    /// <summary>Label-skewed partition instead.</summary>
    public DirichletSettings? Dirichlet { get; init; }
}

/// <summary>A seeded Dirichlet partition over labels.</summary>
public sealed record DirichletSettings
{
    /// <summary>Number of mailboxes.</summary>
    public int Clients { get; init; } = 4;

    /// <summary>Concentration: small is uneven, large is even.</summary>
    public double Alpha { get; init; } = 0.5;
}

/// <summary>A method and its own settings.</summary>
public sealed record MethodSettings
{
    /// <summary>Name of an aggregation rule.</summary>
    public required string Name { get; init; }

    /// <summary>Regularisation of LoRA-FAIR, relative to the mean eigenvalue of Abar Abar^T; null for the rule's default.</summary>
    public double? Lambda { get; init; }
}

/// <summary>LoRA settings.</summary>
public sealed record AdapterSettings
{
    /// <summary>Rank r.</summary>
    public required int Rank { get; init; }

    /// <summary>Numerator of alpha / r.</summary>
    public required double Alpha { get; init; }

    /// <summary>Dropout before A.</summary>
    public double Dropout { get; init; }

    /// <summary>Linear layers that get factors.</summary>
    public required string[] TargetModules { get; init; }

    /// <summary>Modules trained whole.</summary>
    public string[] ModulesToSave { get; init; } = ["score"];
}

/// <summary>Local training of a round.</summary>
public sealed record TrainingSettings
{
    /// <summary>Optimiser steps an agent makes in a round.</summary>
    public required int Steps { get; init; }

    /// <summary>Examples in a batch.</summary>
    public required int BatchSize { get; init; }

    /// <summary>Tokens an example is cut to.</summary>
    public required int MaxTokens { get; init; }

    /// <summary>Peak learning rate.</summary>
    public required double LearningRate { get; init; }

    /// <summary>Warm-up steps at the start of a run.</summary>
    public int WarmupSteps { get; init; }

    /// <summary>Schedule after warm-up.</summary>
    public string Schedule { get; init; } = "cosine";

    /// <summary>Weight decay of AdamW.</summary>
    public double WeightDecay { get; init; }

    /// <summary>Clipping of the gradient norm; 0 for none.</summary>
    public double ClipNorm { get; init; } = 1;

    /// <summary>Share of each mailbox held out by its agent.</summary>
    public double HoldoutShare { get; init; } = 0.1;
}
