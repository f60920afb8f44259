namespace Federated.Client.Models;

/// <summary>How the frequencies of rotary positions are stretched, so that a model reads longer texts than it was trained on.</summary>
/// <remarks>Frequencies are float32 products and powers, as in transformers, so that long positions agree with it to rounding.</remarks>
public abstract record RotaryScaling
{
    /// <summary>The name in <c>rope_type</c>.</summary>
    public abstract string Name { get; }

    /// <summary>Factor of cosines and sines.</summary>
    internal virtual double Amplitude => 1;

    /// <summary>Sequences up to this length share their frequencies; longer ones have their own.</summary>
    internal virtual int SharedLength => int.MaxValue;

    /// <summary>The angle a position of each pair, (width / 2).</summary>
    /// <param name="width">How many numbers of a head are rotated, even.</param>
    /// <param name="theta">Base of the frequencies.</param>
    /// <param name="length">Length of the sequence: its highest position plus 1.</param>
    internal abstract float[] Frequencies(int width, double theta, int length);

    /// <summary>theta^(−2i/width) for pair i.</summary>
    protected static float[] Plain(int width, double theta)
    {
        float[] frequencies = new float[width / 2];
        for (int i = 0; i < frequencies.Length; i++)
            frequencies[i] = 1f / MathF.Pow((float)theta, 2f * i / width);
        return frequencies;
    }
}

/// <summary>No scaling: theta^(−2i/width) for pair i (Su et al. 2021, arXiv:2104.09864).</summary>
public sealed record UnscaledRotary : RotaryScaling
{
    /// <inheritdoc/>
    public override string Name => "default";

    internal override float[] Frequencies(int width, double theta, int length) => Plain(width, theta);
}

/// <summary>Position interpolation: every frequency is divided by a factor (Chen et al. 2023, arXiv:2306.15595).</summary>
/// <param name="Factor">At least 1.</param>
public sealed record LinearRotary(double Factor) : RotaryScaling
{
    /// <inheritdoc/>
    public override string Name => "linear";

    internal override float[] Frequencies(int width, double theta, int length) => [.. Plain(width, theta).Select(frequency => frequency / (float)Factor)];
}

/// <summary>Dynamic NTK scaling: the base grows with the part of the sequence beyond the trained length.</summary>
/// <remarks>
/// theta' = theta · (Factor · length / Trained − (Factor − 1))^(width / (width − 2)). Source: bloc97 and emozilla 2023, section 3.3 of Peng et al. 2023,
/// arXiv:2309.00071. The length is that of the longest row of the pass, as in transformers; newer versions of it go on with the longest of earlier
/// passes, ours does not.
/// </remarks>
/// <param name="Factor">At least 1.</param>
/// <param name="Trained">Longest sequence in training, in tokens.</param>
public sealed record DynamicRotary(double Factor, int Trained) : RotaryScaling
{
    /// <inheritdoc/>
    public override string Name => "dynamic";

    internal override int SharedLength => Trained;

    internal override float[] Frequencies(int width, double theta, int length)
    {
        double stretch = (Factor * Math.Max(length, Trained) / Trained) - (Factor - 1);
        return Plain(width, theta * Math.Pow(stretch, width / (width - 2.0)));
    }
}

/// <summary>Llama 3.1's scaling: low frequencies are divided by a factor, high ones are kept, those between go over smoothly.</summary>
/// <remarks>
/// Source: Grattafiori et al. 2024, arXiv:2407.21783, and Meta's code for Llama 3.1. With w the wavelength of a pair and s = (Trained / w − LowFrequencyFactor) /
/// (HighFrequencyFactor − LowFrequencyFactor), the frequency f becomes ((1 − s) / Factor + s) f, s held in [0, 1].
/// </remarks>
/// <param name="Factor">At least 1.</param>
/// <param name="LowFrequencyFactor">Wavelengths above Trained / LowFrequencyFactor are stretched whole.</param>
/// <param name="HighFrequencyFactor">Wavelengths below Trained / HighFrequencyFactor are kept; larger than <paramref name="LowFrequencyFactor"/>.</param>
/// <param name="Trained">Longest sequence in training, in tokens.</param>
public sealed record Llama3Rotary(double Factor, double LowFrequencyFactor, double HighFrequencyFactor, int Trained) : RotaryScaling
{
    /// <inheritdoc/>
    public override string Name => "llama3";

    internal override float[] Frequencies(int width, double theta, int length)
    {
        float[] frequencies = Plain(width, theta);
        foreach (ref float frequency in frequencies.AsSpan())
        {
            float wavelength = 2 * MathF.PI / frequency;
            float keep = (float)((Trained / wavelength - LowFrequencyFactor) / (HighFrequencyFactor - LowFrequencyFactor));
            keep = Math.Clamp(keep, 0, 1);
            frequency = ((1 - keep) * frequency / (float)Factor) + (keep * frequency);
        }

        return frequencies;
    }
}

/// <summary>YaRN: pairs that turn often within the trained length are kept, those that turn seldom are divided by a factor, a ramp lies between.</summary>
/// <remarks>
/// Source: Peng et al. 2023, arXiv:2309.00071, section 3.2 and 3.4. Pair d(r) = width · ln(Trained / (2π r)) / (2 ln theta) turns r times within the
/// trained length; the ramp goes from d(FastTurns) to d(SlowTurns), rounded outwards where <paramref name="Truncate"/> is set.
/// </remarks>
/// <param name="Factor">At least 1.</param>
/// <param name="AttentionFactor">Factor of cosines and sines, by default 0.1 ln(Factor) + 1.</param>
/// <param name="FastTurns">Transformers' <c>beta_fast</c>, the paper's beta.</param>
/// <param name="SlowTurns">Transformers' <c>beta_slow</c>, the paper's alpha.</param>
/// <param name="Trained">Longest sequence in training, in tokens.</param>
/// <param name="Truncate">Whether the ramp's ends are rounded to whole pairs.</param>
public sealed record YarnRotary(double Factor, double AttentionFactor, double FastTurns, double SlowTurns, int Trained, bool Truncate) : RotaryScaling
{
    // A ramp without width would divide by nothing.
    private const double NarrowestRamp = 0.001;

    /// <inheritdoc/>
    public override string Name => "yarn";

    internal override double Amplitude => AttentionFactor;

    /// <summary>The paper's factor of cosines and sines, its constant 0.1 multiplied by <paramref name="scale"/>.</summary>
    internal static double AmplitudeOf(double factor, double scale = 1) => factor <= 1 ? 1 : (0.1 * scale * Math.Log(factor)) + 1;

    internal override float[] Frequencies(int width, double theta, int length)
    {
        double from = PairThatTurns(FastTurns, width, theta), to = PairThatTurns(SlowTurns, width, theta);
        if (Truncate)
            (from, to) = (Math.Floor(from), Math.Ceiling(to));
        (from, to) = (Math.Max(from, 0), Math.Min(to, width - 1));
        if (from == to)
            to += NarrowestRamp;

        float[] frequencies = Plain(width, theta);
        for (int i = 0; i < frequencies.Length; i++)
        {
            float stretched = Math.Clamp((i - (float)from) / (float)(to - from), 0, 1);
            frequencies[i] = (frequencies[i] / (float)Factor * stretched) + (frequencies[i] * (1 - stretched));
        }

        return frequencies;
    }

    private double PairThatTurns(double turns, int width, double theta) => width * Math.Log(Trained / (turns * 2 * Math.PI)) / (2 * Math.Log(theta));
}
