namespace Federated.Simulations.Pretraining;

/// <summary>Shape of the model to pretrain and how to train it.</summary>
public sealed record PretrainingOptions
{
    /// <summary>State of the Union addresses, as eng/prepare-sotu.sh writes them.</summary>
    public required string Sotu { get; init; }

    /// <summary>The mail corpus; only its pretraining split is used.</summary>
    public required string Mail { get; init; }

    /// <summary>Folder of the model, in Hugging Face layout.</summary>
    public required string Output { get; init; }

    /// <summary>How often each training mail stands in the text.</summary>
    public int MailRepeats { get; init; } = 1;

    /// <summary>Tokens of the vocabulary.</summary>
    public int Vocabulary { get; init; } = 8192;

    /// <summary>Width of the hidden states.</summary>
    public int Hidden { get; init; } = 192;

    /// <summary>Blocks.</summary>
    public int Layers { get; init; } = 4;

    /// <summary>Query heads.</summary>
    public int Heads { get; init; } = 6;

    /// <summary>Key and value heads.</summary>
    public int KeyValueHeads { get; init; } = 3;

    /// <summary>Width of the feed-forward layer.</summary>
    public int Intermediate { get; init; } = 512;

    /// <summary>Longest passage of training text in tokens.</summary>
    public int Context { get; init; } = 512;

    /// <summary>Weight of a token of a passage's summary beside a next-token prediction; 0 for a plain language model.</summary>
    public double SummaryWeight { get; init; } = 0.3;

    /// <summary>Passages of a step.</summary>
    public int BatchSize { get; init; } = 16;

    /// <summary>Optimiser steps; 0 writes the untrained model.</summary>
    public int Steps { get; init; } = 1500;

    /// <summary>Peak learning rate.</summary>
    public double LearningRate { get; init; } = 3e-3;

    /// <summary>Seed of weights and batches.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>Threads.</summary>
    public int Threads { get; init; } = Environment.ProcessorCount;

    /// <summary>Steps between two checkpoints and between two measurements on held-out text.</summary>
    public int CheckpointEvery { get; init; } = 100;

    /// <summary>Everything that is wrong, each with option, value and range.</summary>
    public IReadOnlyList<string> Validate()
    {
        List<string> errors = [];
        if (!File.Exists(Sotu))
            errors.Add($"--sotu '{Sotu}' does not exist; make it with eng/prepare-sotu.sh.");
        if (!File.Exists(Mail))
            errors.Add($"--mail '{Mail}' does not exist; make it with eng/prepare-mail.sh.");
        Range("--mail-repeats", MailRepeats, 0, 1000);
        Range("--vocabulary", Vocabulary, 258, 1 << 20);
        Range("--hidden", Hidden, 2, 1 << 20);
        Range("--intermediate", Intermediate, 1, 1 << 20);
        Range("--layers", Layers, 1, 1000);
        Range("--context", Context, 8, 65_536);
        Range("--batch-size", BatchSize, 1, 65_536);
        Range("--steps", Steps, 0, 10_000_000);
        Range("--threads", Threads, 1, 1024);
        Range("--checkpoint-every", CheckpointEvery, 1, 1_000_000);
        if (!(LearningRate > 0 && LearningRate <= 10))
            errors.Add(FormattableString.Invariant($"--learning-rate is {LearningRate}; more than 0 and at most 10 was expected."));
        if (!(SummaryWeight >= 0 && SummaryWeight <= 100))
            errors.Add(FormattableString.Invariant($"--summary-weight is {SummaryWeight}; 0 to 100 was expected."));
        if (Heads < 1 || Hidden % Math.Max(1, Heads) != 0 || Hidden / Math.Max(1, Heads) % 2 != 0)
            errors.Add($"--hidden {Hidden} over --heads {Heads}: an even number of dimensions for each head was expected.");
        if (KeyValueHeads < 1 || Heads % Math.Max(1, KeyValueHeads) != 0)
            errors.Add($"--kv-heads {KeyValueHeads}: a divisor of --heads {Heads} was expected.");
        return errors;

        void Range(string name, int value, int least, int most)
        {
            if (value < least || value > most)
                errors.Add($"{name} is {value}; {least} to {most} was expected.");
        }
    }
}
