using System.Buffers.Binary;
using Federated.Shared.Protocol;
using Federated.Shared.Tensors;

namespace Federated.Coordinator.Tests.Support;

/// <summary>Makes updates out of a global adapter, good ones and bad ones.</summary>
internal static class Update
{
    /// <summary>A good update: every value of the adapter moved a little, differently for each site and round.</summary>
    public static byte[] Good(byte[] global, string site, int round)
    {
        byte[] bytes = [.. global];
        int phase = site.Sum(c => c) + (31 * round);
        ForEachValue(bytes, (i, value) => value + (0.01f * MathF.Sin(phase + i)));
        return bytes;
    }

    /// <summary>With one value replaced.</summary>
    public static byte[] With(byte[] global, int index, float value)
    {
        byte[] bytes = [.. global];
        ForEachValue(bytes, (i, old) => i == index ? value : old);
        return bytes;
    }

    /// <summary>With every value scaled.</summary>
    public static byte[] Scaled(byte[] global, float by)
    {
        byte[] bytes = [.. global];
        ForEachValue(bytes, (_, old) => (old + 1) * by);
        return bytes;
    }

    /// <summary>The same tensors through a change of their declarations; all values are 0.5.</summary>
    public static byte[] Redeclared(byte[] global, Func<TensorInfo, IEnumerable<TensorInfo>> change)
    {
        TensorInfo[] tensors = [.. Header(global).Tensors.SelectMany(change)];
        using MemoryStream stream = new();
        using (SafetensorsWriter writer = new(stream, tensors, leaveOpen: true))
        {
            foreach (TensorInfo tensor in writer.Tensors)
                writer.WriteTensor(tensor.Name, Enumerable.Repeat(0.5f, (int)tensor.ElementCount).ToArray());
        }

        return stream.ToArray();
    }

    /// <summary>With another JSON header in front of the same data.</summary>
    public static byte[] WithHeader(byte[] global, string json)
    {
        byte[] text = System.Text.Encoding.UTF8.GetBytes(json);
        byte[] prefix = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(prefix, text.Length);
        return [.. prefix, .. text, .. global.AsSpan((int)Header(global).DataStart)];
    }

    /// <summary>The manifest that goes with an update.</summary>
    public static UpdateManifest Manifest(RoundPlan plan, string site, byte[] update, long examples = 100) => new()
    {
        Run = plan.Run,
        Round = plan.Round,
        Attempt = plan.Attempt,
        Site = site,
        Content = new() { Sha256 = ContentHash.Of(update).ToArray(), Length = update.Length },
        Examples = examples,
        Metrics = new() { TrainingLoss = 0.5, HoldoutExamples = 10, HoldoutLoss = 0.6, HoldoutAccuracy = 0.75, Tokens = 1000, Seconds = 1.5 },
    };

    public static SafetensorsHeader Header(byte[] file)
    {
        int json = SafetensorsHeader.ReadJsonLength(file.AsSpan(0, 8), file.Length, SafetensorsLimits.Upload, "test");
        return SafetensorsHeader.Parse(file.AsSpan(8, json), file.Length, SafetensorsLimits.Upload, "test");
    }

    private static void ForEachValue(byte[] file, Func<int, float, float> change)
    {
        Span<byte> data = file.AsSpan((int)Header(file).DataStart);
        for (int i = 0; i < data.Length / sizeof(float); i++)
        {
            Span<byte> value = data.Slice(i * sizeof(float), sizeof(float));
            BinaryPrimitives.WriteSingleLittleEndian(value, change(i, BinaryPrimitives.ReadSingleLittleEndian(value)));
        }
    }
}
