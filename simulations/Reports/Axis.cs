using System.Globalization;

namespace Federated.Simulations.Reports;

/// <summary>A chart's axis with round tick values: 1, 2 or 5 times a power of ten apart, about five of them, the first and last around all values.</summary>
/// <param name="Low">First tick.</param>
/// <param name="Step">Distance of two ticks, above 0.</param>
/// <param name="Steps">Number of distances.</param>
internal readonly record struct Axis(double Low, double Step, int Steps)
{
    private const double AboutSteps = 4;

    /// <summary>Last tick.</summary>
    internal double High => Low + (Step * Steps);

    /// <summary>The axis for some finite values; without any, from 0 to 1.</summary>
    internal static Axis Around(IEnumerable<double> values)
    {
        double[] all = [.. values];
        (double low, double high) = all.Length == 0 ? (0, 1) : (all.Min(), all.Max());
        if (high <= low)
        {
            double room = Math.Max(Math.Abs(low), 1) * 0.5;
            (low, high) = (low - room, high + room);
        }

        double raw = (high - low) / AboutSteps, power = Math.Pow(10, Math.Floor(Math.Log10(raw)));
        double step = power * (raw / power) switch { <= 1 => 1, <= 2 => 2, <= 5 => 5, _ => 10 };
        double first = Math.Floor(low / step), last = Math.Ceiling(high / step);
        return new(first * step, step, Math.Max(1, (int)(last - first)));
    }

    /// <summary>Value and label of every tick, with as many decimals as the distance needs.</summary>
    internal IEnumerable<(double Value, string Label)> Ticks()
    {
        string format = "F" + Math.Clamp((int)-Math.Floor(Math.Log10(Step) + 1e-9), 0, 9).ToString(CultureInfo.InvariantCulture);
        for (int i = 0; i <= Steps; i++)
            yield return (Low + (Step * i), (Low + (Step * i)).ToString(format, CultureInfo.InvariantCulture));
    }
}
