using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Federated.Shared.Randomness;

/// <summary>Standard normal quantiles at the midpoints (k + 0.5) / 65536, as float32: sixteen random bits pick one.</summary>
/// <remarks>
/// Source: Wichura, "Algorithm AS 241: The Percentage Points of the Normal Distribution", Applied Statistics 37 (1988), PPND16, in float64.
/// Entries run from -4.3249192 to 4.3249192, variance 0.99997972.
/// </remarks>
internal static class GaussianTable
{
    private const int Length = 65536;
    private const string Sha256 = "1cfbba1e07e34386a57626f82aeb43e6ed54ba70a3ea6b7d964dc66a841074a8";

    private static readonly float[] Table = Build();

    /// <summary>The 65,536 entries.</summary>
    public static ReadOnlySpan<float> Entries => Table;

    /// <summary>Quantile of p in (0, 0.5].</summary>
    internal static double LowerQuantile(double p)
    {
        double q = p - 0.5;
        if (q >= -0.425)
        {
            double r = 0.180625 - (q * q);
            return q * Polynomial(r, CentreNumerator) / Polynomial(r, CentreDenominator);
        }

        double tail = Math.Sqrt(-Math.Log(p));
        return tail <= 5
            ? -Polynomial(tail - 1.6, MiddleNumerator) / Polynomial(tail - 1.6, MiddleDenominator)
            : -Polynomial(tail - 5, FarNumerator) / Polynomial(tail - 5, FarDenominator);
    }

    // Coefficients from the highest power down.
    private static ReadOnlySpan<double> CentreNumerator =>
    [
        2.5090809287301226727e3, 3.3430575583588128105e4, 6.7265770927008700853e4, 4.5921953931549871457e4,
        1.3731693765509461125e4, 1.9715909503065514427e3, 1.3314166789178437745e2, 3.3871328727963666080,
    ];

    private static ReadOnlySpan<double> CentreDenominator =>
    [
        5.2264952788528545610e3, 2.8729085735721942674e4, 3.9307895800092710610e4, 2.1213794301586595867e4,
        5.3941960214247511077e3, 6.8718700749205790830e2, 4.2313330701600911252e1, 1,
    ];

    private static ReadOnlySpan<double> MiddleNumerator =>
    [
        7.74545014278341407640e-4, 2.27238449892691845833e-2, 2.41780725177450611770e-1, 1.27045825245236838258,
        3.64784832476320460504, 5.76949722146069140550, 4.63033784615654529590, 1.42343711074968357734,
    ];

    private static ReadOnlySpan<double> MiddleDenominator =>
    [
        1.05075007164441684324e-9, 5.47593808499534494600e-4, 1.51986665636164571966e-2, 1.48103976427480074590e-1,
        6.89767334985100004550e-1, 1.67638483018380384940, 2.05319162663775882187, 1,
    ];

    private static ReadOnlySpan<double> FarNumerator =>
    [
        2.01033439929228813265e-7, 2.71155556874348757815e-5, 1.24266094738807843860e-3, 2.65321895265761230930e-2,
        2.96560571828504891230e-1, 1.78482653991729133580, 5.46378491116411436990, 6.65790464350110377720,
    ];

    private static ReadOnlySpan<double> FarDenominator =>
    [
        2.04426310338993978564e-15, 1.42151175831644588870e-7, 1.84631831751005468180e-5, 7.86869131145613259100e-4,
        1.48753612908506148525e-2, 1.36929880922735805310e-1, 5.99832206555887937690e-1, 1,
    ];

    private static double Polynomial(double x, ReadOnlySpan<double> coefficients)
    {
        double value = 0;
        foreach (double coefficient in coefficients)
            value = (value * x) + coefficient;
        return value;
    }

    private static float[] Build()
    {
        float[] table = new float[Length];
        byte[] bytes = new byte[Length * sizeof(float)];
        for (int k = 0; k < Length / 2; k++)
        {
            table[k] = (float)LowerQuantile((k + 0.5) / Length);
            table[Length - 1 - k] = -table[k];
        }

        for (int k = 0; k < Length; k++)
            BinaryPrimitives.WriteSingleLittleEndian(bytes.AsSpan(k * sizeof(float)), table[k]);

        string hash = Convert.ToHexStringLower(SHA256.HashData(bytes));
        return hash == Sha256
            ? table
            : throw new InvalidOperationException(
                $"The table of normal quantiles has SHA-256 {hash}, {Sha256} was expected: this runtime's logarithm differs, and so would every "
                + "perturbation from those of other machines. Run on another .NET runtime or processor, and report this one.");
    }
}
