using System.Runtime.InteropServices;
using System.Text.Json;
using Federated.Client.Models;
using Federated.Client.Training;
using Federated.Shared.Tensors;
using Federated.Tests.Support;

namespace Federated.Client.Tests.Fixtures;

/// <summary>One folder of golden data: what the official code was given and what it answered.</summary>
internal sealed class Golden : IDisposable
{
    private readonly JsonDocument _description;
    private readonly SafetensorsFile _tensors;

    internal Golden(string name)
    {
        Folder = Path.Combine(Repository.Fixtures, name);
        _description = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Folder, "fixture.json")));
        _tensors = SafetensorsFile.Open(Path.Combine(Folder, "golden.safetensors"));
    }

    /// <summary>What <c>fixture.json</c> says a folder is, whether or not it holds tensors.</summary>
    internal static string KindOf(string name)
    {
        using JsonDocument description = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Repository.Fixtures, name, "fixture.json")));
        return description.RootElement.GetProperty("kind").GetString()!;
    }

    internal string Folder { get; }

    internal JsonElement Description => _description.RootElement;

    internal string Kind => Description.GetProperty("kind").GetString()!;

    internal string Base => Path.GetFullPath(Path.Combine(Folder, Description.GetProperty("base").GetString()!));

    internal IEnumerable<string> Names => _tensors.Tensors.Select(tensor => tensor.Name);

    internal bool Has(string name) => _tensors.TryGetInfo(name, out _);

    internal double Tolerance(string name) => Description.GetProperty("tolerances").GetProperty(name).GetDouble();

    internal double TraceTolerance(string name) => Description.GetProperty("trace_tolerances").GetProperty(name).GetDouble();

    internal float[] Floats(string name)
    {
        TensorInfo info = _tensors.Info(name);
        float[] values = new float[info.ElementCount];
        _tensors.ReadFloats(info, values);
        return values;
    }

    internal long[] Longs(string name)
    {
        TensorInfo info = _tensors.Info(name);
        Assert.Equal(DType.I64, info.DType);
        return MemoryMarshal.Cast<byte, long>(_tensors.Bytes(info)).ToArray();
    }

    internal int[] Shape(string name) => [.. _tensors.Info(name).Shape.Select(size => (int)size)];

    /// <summary>The named inputs as a padded batch with their labels, of whichever kind the fixture has.</summary>
    internal TrainingBatch Batch(string ids = "input_ids", string? mask = "attention_mask", string? positions = null)
    {
        if (Has("pixel_values") && Shape("pixel_values") is [var rows, var channels, var height, var width])
            return new(new ImageBatch(Floats("pixel_values"), rows, channels, height, width)) { ClassLabels = Longs("labels") };

        int[] shape = Shape(ids);
        SequenceBatch tokens = SequenceBatch.Padded(Longs(ids), shape[0], shape[1], mask is null ? null : Longs(mask), positions is null ? null : Longs(positions));
        if (Has("token_type_ids"))
            tokens = tokens.WithTokenTypes(Longs("token_type_ids"));
        return Shape("labels").Length == 2
            ? new(tokens) { TokenLabels = Longs("labels") }
            : new(tokens) { ClassLabels = Longs("labels") };
    }

    /// <summary>Step <paramref name="step"/> of a training trace.</summary>
    internal TrainingBatch Step(int step)
    {
        int[] shape = Shape("batches.input_ids");
        int size = shape[1] * shape[2];
        long[] Slice(string name) => Longs(name)[(step * size)..((step + 1) * size)];
        SequenceBatch tokens = SequenceBatch.Padded(Slice("batches.input_ids"), shape[1], shape[2], Slice("batches.attention_mask"));
        return new(tokens) { TokenLabels = Slice("batches.labels") };
    }

    public void Dispose()
    {
        _tensors.Dispose();
        _description.Dispose();
    }
}
