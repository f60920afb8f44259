namespace Federated.Client.Training;

/// <summary>How well a language model predicts held-out text.</summary>
/// <param name="Predictions">Number of predicted tokens.</param>
/// <param name="Loss">Mean cross-entropy of a prediction in nats; NaN without any.</param>
public sealed record LanguageModelReport(long Predictions, double Loss)
{
    /// <summary>e^loss: the number of equally likely tokens that would be as hard to guess.</summary>
    public double Perplexity => Math.Exp(Loss);
}

/// <summary>How well a classifier does on held-out examples.</summary>
/// <param name="Loss">Mean cross-entropy of an example in nats; NaN without any.</param>
/// <param name="Confusion">Number of examples by true class (first index) and predicted class (second).</param>
public sealed record ClassificationReport(double Loss, long[,] Confusion)
{
    /// <summary>Number of classes.</summary>
    public int Classes => Confusion.GetLength(0);

    /// <summary>Number of examples.</summary>
    public long Examples => Confusion.Cast<long>().Sum();

    /// <summary>Number of examples predicted right.</summary>
    public long Correct => Enumerable.Range(0, Classes).Sum(label => Confusion[label, label]);

    /// <summary>Share predicted right, in [0, 1]; NaN without examples.</summary>
    public double Accuracy => (double)Correct / Examples;

    /// <summary>Harmonic mean of precision and recall of one class, in [0, 1]; 0 when the class neither occurs nor is predicted.</summary>
    /// <remarks>2·TP / (2·TP + FP + FN), as scikit-learn's f1_score with zero_division 0.</remarks>
    public double F1(int positive)
    {
        long hits = Confusion[positive, positive], predicted = 0, actual = 0;
        for (int label = 0; label < Classes; label++)
        {
            predicted += Confusion[label, positive];
            actual += Confusion[positive, label];
        }

        return predicted + actual == 0 ? 0 : 2.0 * hits / (predicted + actual);
    }

    /// <summary>The unweighted mean of every class's <see cref="F1"/>.</summary>
    public double MacroF1 => Enumerable.Range(0, Classes).Average(F1);
}
