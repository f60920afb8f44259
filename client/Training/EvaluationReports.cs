namespace Federated.Client.Training;

/// <summary>How well a language model predicts held-out text.</summary>
/// <param name="Predictions">Number of predicted tokens.</param>
/// <param name="Loss">Mean cross-entropy of a prediction in nats; NaN without any.</param>
public sealed record LanguageModelReport(long Predictions, double Loss)
{
    /// <summary>e^loss: the number of equally likely tokens that would be as hard to guess.</summary>
    public double Perplexity => Math.Exp(Loss);

    /// <summary>What all predictions of several reports give together.</summary>
    public static LanguageModelReport Sum(IReadOnlyList<LanguageModelReport> reports)
    {
        long predictions = reports.Sum(report => report.Predictions);
        return new(predictions, reports.Sum(report => report.Predictions == 0 ? 0 : report.Loss * report.Predictions) / predictions);
    }
}

/// <summary>How well a classifier does on held-out examples.</summary>
/// <param name="Loss">Mean cross-entropy of an example in nats; NaN without any.</param>
/// <param name="Confusion">Number of examples by true class (first index) and predicted class (second).</param>
public sealed record ClassificationReport(double Loss, long[,] Confusion)
{
    /// <summary>How sure the classifier was, and how often right.</summary>
    public CalibrationBins Calibration { get; init; } = new();

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

    /// <summary>What all examples of several reports give together.</summary>
    public static ClassificationReport Sum(IReadOnlyList<ClassificationReport> reports)
    {
        int classes = reports[0].Classes;
        long[,] confusion = new long[classes, classes];
        CalibrationBins calibration = new();
        double loss = 0;
        foreach (ClassificationReport report in reports)
        {
            for (int actual = 0; actual < classes; actual++)
            {
                for (int predicted = 0; predicted < classes; predicted++)
                    confusion[actual, predicted] += report.Confusion[actual, predicted];
            }

            calibration.Add(report.Calibration);
            loss += report.Examples == 0 ? 0 : report.Loss * report.Examples;
        }

        return new(loss / reports.Sum(report => report.Examples), confusion) { Calibration = calibration };
    }
}

/// <summary>How well a model does at a task: the part that the task has.</summary>
/// <param name="Examples">Number of examples.</param>
public sealed record EvaluationReport(long Examples)
{
    /// <summary>The numbers of a language model.</summary>
    public LanguageModelReport? Language { get; init; }

    /// <summary>The numbers of a classifier.</summary>
    public ClassificationReport? Classification { get; init; }

    /// <summary>Mean cross-entropy in nats, of a prediction or an example; NaN without any.</summary>
    public double Loss => Language?.Loss ?? Classification?.Loss ?? double.NaN;

    /// <summary>What several reports of one task give together.</summary>
    public static EvaluationReport Sum(IReadOnlyList<EvaluationReport> reports) => new(reports.Sum(report => report.Examples))
    {
        Language = reports.All(report => report.Language is not null) ? LanguageModelReport.Sum([.. reports.Select(report => report.Language!)]) : null,
        Classification = reports.All(report => report.Classification is not null) ? ClassificationReport.Sum([.. reports.Select(report => report.Classification!)]) : null,
    };
}
