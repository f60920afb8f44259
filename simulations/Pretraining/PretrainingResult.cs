namespace Federated.Simulations.Pretraining;

/// <summary>A measurement on held-out text during pretraining.</summary>
/// <param name="Step">Steps done.</param>
/// <param name="Seconds">Seconds of training, measurements included, over all sittings.</param>
/// <param name="TrainingLoss">Loss of the newest batch, nats a token.</param>
/// <param name="SpeechPerplexity">Perplexity on held-out State of the Union addresses.</param>
/// <param name="MailPerplexity">Perplexity on held-out mail.</param>
public sealed record PretrainingPoint(int Step, double Seconds, double TrainingLoss, double SpeechPerplexity, double MailPerplexity);

/// <summary>Where pretraining stands after a step.</summary>
/// <param name="Step">Steps done.</param>
/// <param name="Steps">Steps to do.</param>
/// <param name="Loss">Loss of the newest batch.</param>
/// <param name="LearningRate">Rate of the newest step.</param>
/// <param name="TokensPerSecond">Speed of the newest step.</param>
/// <param name="Newest">Newest measurement; null before the first.</param>
public sealed record PretrainingProgress(int Step, int Steps, double Loss, double LearningRate, double TokensPerSecond, PretrainingPoint? Newest);

/// <summary>What pretraining gave.</summary>
/// <param name="Parameters">Numbers in the model.</param>
/// <param name="TrainingTokens">Tokens of the training text, once through.</param>
/// <param name="TrainingSeconds">Seconds of training over all sittings.</param>
/// <param name="Seconds">Seconds of this sitting, tokenizer included.</param>
/// <param name="SpeechPerplexity">On held-out addresses.</param>
/// <param name="MailPerplexity">On held-out mail.</param>
/// <param name="BigramSpeechPerplexity">The bigram model's, same tokens.</param>
/// <param name="BigramMailPerplexity">The bigram model's, same tokens.</param>
/// <param name="Curve">The measurements.</param>
public sealed record PretrainingResult(
    long Parameters, long TrainingTokens, double TrainingSeconds, double Seconds, double SpeechPerplexity, double MailPerplexity,
    double BigramSpeechPerplexity, double BigramMailPerplexity, IReadOnlyList<PretrainingPoint> Curve);
