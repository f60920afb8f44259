namespace Federated.Client.Training;

/// <summary>How a local training run goes.</summary>
public sealed record TrainingOptions
{
    /// <summary>Optimiser steps of this run.</summary>
    public required int Steps { get; init; }

    /// <summary>Where the schedule stands at this run's first step: the steps of earlier runs, such as a federation's earlier rounds.</summary>
    public int FirstStep { get; init; }

    /// <summary>Steps of the whole schedule, earlier and later runs included; null ends it with this run.</summary>
    public int? ScheduleSteps { get; init; }

    /// <summary>Peak learning rate.</summary>
    public double LearningRate { get; init; } = 1e-3;

    /// <summary>One of <see cref="LearningRateSchedules.Names"/>.</summary>
    public string Schedule { get; init; } = LearningRateSchedules.Constant;

    /// <summary>Steps of the schedule over which the rate rises from 0.</summary>
    public int WarmupSteps { get; init; }

    /// <summary>One of <see cref="LocalOptimizers.Names"/>.</summary>
    public string Optimizer { get; init; } = LocalOptimizers.AdamW;

    /// <summary>Decay of the first moment; the momentum of SGD.</summary>
    public double Beta1 { get; init; } = 0.9;

    /// <summary>Decay of the second moment.</summary>
    public double Beta2 { get; init; } = 0.999;

    /// <summary>Added to the root of the second moment.</summary>
    public double Epsilon { get; init; } = 1e-8;

    /// <summary>Weight decay: decoupled in AdamW, part of the gradient in SGD.</summary>
    public double WeightDecay { get; init; }

    /// <summary>Whether vectors (norms and biases) decay too; matrices always do.</summary>
    public bool DecayVectors { get; init; } = true;

    /// <summary>Largest L2 norm of a step's gradient over all trained tensors; null for no clipping.</summary>
    public double? ClipNorm { get; init; }

    /// <summary>How many batches make one step; their terms weigh equally.</summary>
    public int BatchesPerStep { get; init; } = 1;

    /// <summary>Seed of dropout; with the batches and the thread count it determines the result bit by bit.</summary>
    public long Seed { get; init; }

    /// <summary>The rate of step <paramref name="step"/> of this run, from 0.</summary>
    internal double RateOf(int step) =>
        LearningRate * LearningRateSchedules.Factor(Schedule, FirstStep + step, WarmupSteps, ScheduleSteps ?? (FirstStep + Steps));

    /// <summary>Checks all values.</summary>
    /// <exception cref="ArgumentException">Some are wrong; the message lists each with the value it has and the range.</exception>
    public void Validate()
    {
        List<string> problems = [];
        void Check(bool fine, string name, object value, string wanted)
        {
            if (!fine)
                problems.Add(FormattableString.Invariant($"{name} is {value}, wanted {wanted}"));
        }

        Check(Steps >= 1, nameof(Steps), Steps, "at least 1");
        Check(double.IsFinite(LearningRate) && LearningRate >= 0, nameof(LearningRate), LearningRate, "a finite number of at least 0");
        Check(LearningRateSchedules.Names.Contains(Schedule), nameof(Schedule), Schedule, $"one of {string.Join(", ", LearningRateSchedules.Names)}");
        int end = FirstStep + Steps, total = ScheduleSteps ?? end;
        Check(FirstStep >= 0, nameof(FirstStep), FirstStep, "at least 0");
        Check(total >= end, nameof(ScheduleSteps), total, $"at least {end}, where this run ends");
        Check(WarmupSteps >= 0 && WarmupSteps <= total, nameof(WarmupSteps), WarmupSteps, $"0 to {total}, the steps of the schedule");
        Check(LocalOptimizers.Names.Contains(Optimizer), nameof(Optimizer), Optimizer, $"one of {string.Join(", ", LocalOptimizers.Names)}");
        Check(Beta1 is >= 0 and < 1, nameof(Beta1), Beta1, "0 or more, below 1");
        Check(Beta2 is >= 0 and < 1, nameof(Beta2), Beta2, "0 or more, below 1");
        Check(double.IsFinite(Epsilon) && Epsilon >= 0, nameof(Epsilon), Epsilon, "a finite number of at least 0");
        Check(double.IsFinite(WeightDecay) && WeightDecay >= 0, nameof(WeightDecay), WeightDecay, "a finite number of at least 0");
        Check(ClipNorm is null or > 0, nameof(ClipNorm), ClipNorm ?? 0, "more than 0, or none");
        Check(BatchesPerStep >= 1, nameof(BatchesPerStep), BatchesPerStep, "at least 1");
        if (problems.Count > 0)
            throw new ArgumentException($"Training options: {string.Join("; ", problems)}.");
    }
}
