namespace Federated.Client.Training;

/// <summary>What one optimiser step did.</summary>
/// <param name="Step">Its number, from 1.</param>
/// <param name="Loss">Mean of the objective's terms before the update.</param>
/// <param name="LearningRate">The rate used.</param>
/// <param name="GradientNorm">L2 norm over all trained tensors before clipping.</param>
/// <param name="Tokens">Real tokens in the step's batches.</param>
/// <param name="Sequences">Sequences in the step's batches.</param>
/// <param name="Elapsed">Wall time of the step.</param>
public readonly record struct StepReport(int Step, double Loss, double LearningRate, double GradientNorm, long Tokens, int Sequences, TimeSpan Elapsed)
{
    /// <summary>Real tokens a second; 0 when the clock saw no time pass.</summary>
    public double TokensPerSecond => Elapsed > TimeSpan.Zero ? Tokens / Elapsed.TotalSeconds : 0;
}

/// <summary>What a run of steps did.</summary>
/// <param name="Steps">Steps done in this run.</param>
/// <param name="MeanLoss">Mean of the steps' losses, each before its update; NaN without a step.</param>
/// <param name="LastLoss">The last step's; NaN without a step.</param>
/// <param name="Tokens">Real tokens seen.</param>
/// <param name="Sequences">Sequences seen, repeats counted.</param>
/// <param name="Elapsed">Wall time within steps.</param>
public sealed record TrainingSummary(int Steps, double MeanLoss, double LastLoss, long Tokens, long Sequences, TimeSpan Elapsed);

/// <summary>Training cannot go on because the loss or its gradient is no finite number. The parameters are those before the failed step.</summary>
public sealed class TrainingDivergedException(string message) : Exception(message);
