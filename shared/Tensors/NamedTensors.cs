using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;

namespace Federated.Shared.Tensors;

/// <summary>Named float32 tensors in memory, in the order they were added; for adapters and other things that are small beside a model.</summary>
public sealed class NamedTensors
{
    private readonly OrderedDictionary<string, (long[] Shape, float[] Values)> _entries = new(StringComparer.Ordinal);

    /// <summary>Names in the order they were added.</summary>
    public IReadOnlyList<string> Names => _entries.Keys;

    /// <summary>Number of tensors.</summary>
    public int Count => _entries.Count;

    /// <summary>Number of values over all tensors.</summary>
    public long ElementCount => _entries.Values.Sum(entry => (long)entry.Values.Length);

    /// <summary>The values of a tensor, row-major. The array itself, not a copy: writing to it changes the tensor.</summary>
    /// <param name="name">Exact name.</param>
    /// <exception cref="TensorFormatException">Not there; the message lists the nearest names.</exception>
    public float[] this[string name] => Entry(name).Values;

    /// <summary>Reads every tensor of a safetensors file as float32, in the file's order.</summary>
    /// <param name="path">File of floating-point tensors.</param>
    /// <param name="limits">Bounds of the header; <see cref="SafetensorsLimits.Local"/> if null.</param>
    /// <exception cref="TensorFormatException">The file is malformed, or a tensor holds no floating-point numbers.</exception>
    public static NamedTensors FromFile(string path, SafetensorsLimits? limits = null)
    {
        using SafetensorsFile file = SafetensorsFile.Open(path, limits);
        NamedTensors tensors = new();
        foreach (TensorInfo info in file.Tensors)
        {
            if (info.ElementCount > Array.MaxLength)
            {
                throw new TensorFormatException(TensorFormatReason.BadShape,
                    $"{path}: tensor {TensorText.Quote(info.Name)} {TensorText.Shape(info.Shape)} is too large for memory; open it as {nameof(SafetensorsFile)}.");
            }

            float[] values = new float[info.ElementCount];
            file.ReadFloats(info, values);
            tensors.Add(info.Name, info.Shape, values);
        }

        return tensors;
    }

    /// <summary>Adds a tensor.</summary>
    /// <param name="name">Not yet there.</param>
    /// <param name="shape">Sizes, each 0 or more; empty for a scalar. Copied.</param>
    /// <param name="values">As many values as the shape says, row-major. Kept, not copied.</param>
    /// <exception cref="TensorFormatException">The name is taken, or shape and values disagree.</exception>
    public void Add(string name, IReadOnlyList<long> shape, float[] values)
    {
        long[] copy = [.. shape];
        if (!TensorShape.TryCountElements(copy, out long count) || count != values.Length)
        {
            throw new TensorFormatException(TensorFormatReason.BadShape,
                $"Tensor {TensorText.Quote(name)}: shape {TensorText.Shape(copy)} with {values.Length} values.");
        }

        if (!_entries.TryAdd(name, (copy, values)))
            throw new TensorFormatException(TensorFormatReason.BadTensorSet, $"Tensor {TensorText.Quote(name)} is already there.");
    }

    /// <summary>Whether a tensor is there.</summary>
    /// <param name="name">Exact name.</param>
    public bool Contains(string name) => _entries.ContainsKey(name);

    /// <summary>Finds a tensor's values.</summary>
    /// <param name="name">Exact name.</param>
    /// <param name="values">The array itself, when found.</param>
    public bool TryGet(string name, [MaybeNullWhen(false)] out float[] values)
    {
        bool found = _entries.TryGetValue(name, out (long[] Shape, float[] Values) entry);
        values = found ? entry.Values : null;
        return found;
    }

    /// <summary>The shape of a tensor.</summary>
    /// <param name="name">Exact name.</param>
    /// <exception cref="TensorFormatException">Not there; the message lists the nearest names.</exception>
    public IReadOnlyList<long> Shape(string name) => Entry(name).Shape;

    /// <summary>The same names and shapes, all values 0.</summary>
    public NamedTensors ZerosLike()
    {
        NamedTensors zeros = new();
        foreach ((string name, (long[] shape, float[] values)) in _entries)
            zeros.Add(name, shape, new float[values.Length]);

        return zeros;
    }

    /// <summary>A copy that shares nothing.</summary>
    public NamedTensors Clone()
    {
        NamedTensors copy = new();
        foreach ((string name, (long[] shape, float[] values)) in _entries)
            copy.Add(name, shape, [.. values]);

        return copy;
    }

    /// <summary>Whether both hold the same names, shapes and bits, in whatever order. NaN equals NaN of the same bits; 0 and -0 differ.</summary>
    /// <param name="other">The other container.</param>
    public bool ContentEquals(NamedTensors other)
    {
        if (Count != other.Count)
            return false;

        foreach ((string name, (long[] shape, float[] values)) in _entries)
        {
            if (!other._entries.TryGetValue(name, out (long[] Shape, float[] Values) twin)
                || !shape.AsSpan().SequenceEqual(twin.Shape)
                || !MemoryMarshal.AsBytes<float>(values).SequenceEqual(MemoryMarshal.AsBytes<float>(twin.Values)))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Writes a safetensors file: beside it first, then renamed, so that a reader never sees half of it.</summary>
    /// <param name="path">Target; replaced if there.</param>
    /// <param name="dtype">F32, F16, BF16 or F64.</param>
    /// <param name="metadata">Text entries; <see cref="SafetensorsWriter.PyTorchMetadata"/> if null.</param>
    public void Save(string path, DType dtype = DType.F32, IReadOnlyDictionary<string, string>? metadata = null)
    {
        string unfinished = path + ".part";
        using (FileStream stream = new(unfinished, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 1 << 16))
            Save(stream, dtype, metadata);

        File.Move(unfinished, path, overwrite: true);
    }

    /// <summary>Writes the bytes of a safetensors file; the same content gives the same bytes, whatever the order of adding.</summary>
    /// <param name="stream">Where to write; left open.</param>
    /// <param name="dtype">F32, F16, BF16 or F64.</param>
    /// <param name="metadata">Text entries; <see cref="SafetensorsWriter.PyTorchMetadata"/> if null.</param>
    public void Save(Stream stream, DType dtype = DType.F32, IReadOnlyDictionary<string, string>? metadata = null)
    {
        using SafetensorsWriter writer = new(
            stream, _entries.Select(e => TensorInfo.Declare(e.Key, dtype, e.Value.Shape)), metadata ?? SafetensorsWriter.PyTorchMetadata, leaveOpen: true);
        foreach (TensorInfo tensor in writer.Tensors)
            writer.WriteTensor(tensor.Name, this[tensor.Name].AsSpan());

        writer.Complete();
    }

    private (long[] Shape, float[] Values) Entry(string name) =>
        _entries.TryGetValue(name, out (long[] Shape, float[] Values) entry)
            ? entry
            : throw new TensorFormatException(TensorFormatReason.BadTensorSet,
                $"No tensor {TensorText.Quote(name)}. {TensorText.NearNames(name, _entries.Keys)}");
}
