using static TorchSharp.torch;

namespace Federated.Client.Models;

/// <summary>Cosines and sines of rotary position embedding, by position and pair of a head's numbers (Su et al. 2021, arXiv:2104.09864).</summary>
/// <remarks>Angles are float32 products, as in transformers, so that long positions agree with it to rounding. Holds no native memory.</remarks>
internal sealed class RotaryEmbedding
{
    private const int SmallestTable = 256;
    private readonly RotaryConfig _config;
    private readonly int _width;
    private readonly Lock _growing = new();
    private float[] _cosines = [], _sines = [];

    /// <param name="config">Base, share and scaling.</param>
    /// <param name="headSize">Width of a head.</param>
    internal RotaryEmbedding(RotaryConfig config, int headSize) => (_config, _width) = (config, config.Width(headSize));

    /// <summary>Cosines and sines for each position, both (n, 1, pairs), in the current dispose scope.</summary>
    internal (Tensor Cos, Tensor Sin) Rows(ReadOnlySpan<long> positions)
    {
        long highest = 0;
        foreach (long position in positions)
            highest = Math.Max(highest, position);
        int length = checked((int)highest + 1), pairs = _width / 2;
        (float[] cosines, float[] sines) = length <= _config.Scaling.SharedLength ? SharedTable(length) : Table(length, length);

        float[] cos = new float[positions.Length * pairs], sin = new float[cos.Length];
        for (int i = 0; i < positions.Length; i++)
        {
            cosines.AsSpan((int)positions[i] * pairs, pairs).CopyTo(cos.AsSpan(i * pairs));
            sines.AsSpan((int)positions[i] * pairs, pairs).CopyTo(sin.AsSpan(i * pairs));
        }

        return (tensor(cos, [positions.Length, 1, pairs]), tensor(sin, [positions.Length, 1, pairs]));
    }

    private (float[] Cosines, float[] Sines) SharedTable(int positions)
    {
        lock (_growing)
        {
            int have = _cosines.Length / (_width / 2);
            if (have < positions)
                (_cosines, _sines) = Table(Math.Max(positions, Math.Max(SmallestTable, have * 2)), Math.Min(positions, _config.Scaling.SharedLength));
            return (_cosines, _sines);
        }
    }

    private (float[] Cosines, float[] Sines) Table(int positions, int length)
    {
        float[] frequencies = _config.Scaling.Frequencies(_width, _config.Theta, length);
        float amplitude = (float)_config.Scaling.Amplitude;
        int pairs = frequencies.Length;
        float[] cosines = new float[checked(positions * pairs)], sines = new float[cosines.Length];
        for (int i = 0; i < cosines.Length; i++)
        {
            float angle = i / pairs * frequencies[i % pairs];
            (cosines[i], sines[i]) = (amplitude * MathF.Cos(angle), amplitude * MathF.Sin(angle));
        }

        return (cosines, sines);
    }
}
