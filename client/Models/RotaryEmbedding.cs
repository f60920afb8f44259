using static TorchSharp.torch;

namespace Federated.Client.Models;

/// <summary>Angles of rotary position embedding: position / factor · theta^(−2i/width) for pair i.</summary>
/// <remarks>
/// Source: Su et al. 2021, arXiv:2104.09864; linear scaling: Chen et al. 2023, arXiv:2306.15595. Angles are float32 products, as in
/// transformers, so that long positions agree with it to rounding. Holds no native memory.
/// </remarks>
internal sealed class RotaryEmbedding
{
    private readonly float[] _frequencies;
    private readonly float _factor;
    private readonly Lock _growing = new();
    private float[] _cosines = [], _sines = [];

    /// <param name="width">Width of a head, even.</param>
    /// <param name="theta">Base of the frequencies.</param>
    /// <param name="factor">Positions are divided by it; 1 for none.</param>
    internal RotaryEmbedding(int width, double theta, double factor)
    {
        _frequencies = new float[width / 2];
        _factor = (float)factor;
        for (int i = 0; i < _frequencies.Length; i++)
            _frequencies[i] = 1f / MathF.Pow((float)theta, 2f * i / width);
    }

    /// <summary>Cosines and sines for each position, both (n, 1, width/2), in the current dispose scope.</summary>
    internal (Tensor Cos, Tensor Sin) Rows(ReadOnlySpan<long> positions)
    {
        long highest = 0;
        foreach (long position in positions)
            highest = Math.Max(highest, position);
        (float[] cosines, float[] sines) = Table(checked((int)highest + 1));

        int half = _frequencies.Length;
        float[] cos = new float[positions.Length * half], sin = new float[cos.Length];
        for (int i = 0; i < positions.Length; i++)
        {
            cosines.AsSpan((int)positions[i] * half, half).CopyTo(cos.AsSpan(i * half));
            sines.AsSpan((int)positions[i] * half, half).CopyTo(sin.AsSpan(i * half));
        }

        return (tensor(cos, [positions.Length, 1, half]), tensor(sin, [positions.Length, 1, half]));
    }

    private (float[] Cosines, float[] Sines) Table(int positions)
    {
        int half = _frequencies.Length;
        lock (_growing)
        {
            int have = _cosines.Length / half;
            if (have < positions)
            {
                int grown = Math.Max(positions, Math.Max(256, have * 2));
                float[] cosines = new float[grown * half], sines = new float[grown * half];
                for (int i = 0; i < cosines.Length; i++)
                {
                    float angle = i / half / _factor * _frequencies[i % half];
                    (cosines[i], sines[i]) = (MathF.Cos(angle), MathF.Sin(angle));
                }

                (_cosines, _sines) = (cosines, sines);
            }

            return (_cosines, _sines);
        }
    }
}
