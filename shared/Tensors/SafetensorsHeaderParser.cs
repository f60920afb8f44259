using System.Text.Json;

namespace Federated.Shared.Tensors;

/// <summary>The strict reading of <see cref="SafetensorsHeader.Parse"/>: no duplicates, no unknown fields, no comments, integers only.</summary>
internal sealed class SafetensorsHeaderParser(SafetensorsLimits limits, string source)
{
    // {"name": {"shape": [1]}}: three levels. Deeper input is refused by the reader before we look at it.
    private const int MaxDepth = 3;
    private const string Metadata = "__metadata__";

    // "":{"dtype":"U8","shape":[],"data_offsets":[0,0]}, is the shortest entry.
    private const int ShortestEntry = 50;

    private readonly List<TensorInfo> _tensors = [];
    private SortedDictionary<string, string>? _metadata;

    public SafetensorsHeader Parse(ReadOnlySpan<byte> json, long fileLength)
    {
        if (json.IsEmpty || json[0] != (byte)'{')
            throw Bad("the header must begin with '{'");

        // Room for as many as there can be: growing step by step would take twice the memory.
        _tensors.EnsureCapacity(Math.Min(json.Length / ShortestEntry, limits.MaxTensors));
        Utf8JsonReader reader = new(json, new JsonReaderOptions { MaxDepth = MaxDepth });
        try
        {
            ReadTop(ref reader);
        }
        catch (JsonException error)
        {
            throw Bad($"the header is no valid JSON at byte {reader.BytesConsumed}", error);
        }
        catch (InvalidOperationException error)
        {
            // The reader's answer to text that is no UTF-8 or holds half a surrogate pair.
            throw Bad($"the header holds invalid text at byte {reader.BytesConsumed}", error);
        }

        TensorInfo[] byName = SortByName();
        _tensors.Sort(ByPlace);
        CheckLayout(fileLength - SafetensorsHeader.PrefixLength - json.Length);
        return new(source, _tensors, byName, _metadata ?? [], json.Length);
    }

    private void ReadTop(ref Utf8JsonReader reader)
    {
        Expect(ref reader, JsonTokenType.StartObject, tensor: null);
        while (NextField(ref reader, tensor: null))
        {
            string name = reader.GetString()!;
            if (name == Metadata)
            {
                if (_metadata is not null)
                    throw Bad($"'{Metadata}' occurs twice");

                _metadata = ReadMetadata(ref reader);
                continue;
            }

            if (name.Length > limits.MaxNameLength)
                throw Bad($"a tensor name of {name.Length} characters, at most {limits.MaxNameLength} are allowed: {TensorText.Quote(name)}");
            if (_tensors.Count == limits.MaxTensors)
                throw Bad($"more than {limits.MaxTensors} tensors");

            _tensors.Add(ReadTensor(ref reader, name));
        }

        if (reader.Read())
            throw Bad("the header goes on after its closing brace");
    }

    private SortedDictionary<string, string> ReadMetadata(ref Utf8JsonReader reader)
    {
        SortedDictionary<string, string> metadata = new(StringComparer.Ordinal);
        Expect(ref reader, JsonTokenType.StartObject, Metadata);
        while (NextField(ref reader, Metadata))
        {
            string key = reader.GetString()!;
            if (key.Length > limits.MaxNameLength || metadata.Count == limits.MaxMetadataEntries)
                throw Bad($"'{Metadata}' has more than {limits.MaxMetadataEntries} entries or a key of more than {limits.MaxNameLength} characters");

            Expect(ref reader, JsonTokenType.String, Metadata, "an entry");
            if (!metadata.TryAdd(key, reader.GetString()!))
                throw Bad($"'{Metadata}' entry {TensorText.Quote(key)} occurs twice");
        }

        return metadata;
    }

    private TensorInfo ReadTensor(ref Utf8JsonReader reader, string name)
    {
        DType? dtype = null;
        long[]? shape = null;
        Span<long> offsets = stackalloc long[2];
        int offsetCount = -1;
        Expect(ref reader, JsonTokenType.StartObject, name);
        while (NextField(ref reader, name))
        {
            if (dtype is null && reader.ValueTextEquals("dtype"u8))
                dtype = ReadDType(ref reader, name);
            else if (shape is null && reader.ValueTextEquals("shape"u8))
                shape = ReadShape(ref reader, name);
            else if (offsetCount < 0 && reader.ValueTextEquals("data_offsets"u8))
                offsetCount = ReadIntegers(ref reader, name, "data_offsets", offsets, TensorFormatReason.BadOffsets);
            else
                throw Bad($"{Tensor(name)}: field {TensorText.Quote(reader.GetString()!)} is unknown or occurs twice; wanted dtype, shape, data_offsets once each");
        }

        if (dtype is null || shape is null || offsetCount < 0)
            throw Bad($"{Tensor(name)}: wanted the fields dtype, shape, data_offsets; some are missing");

        return Check(name, dtype.Value, shape, offsets[..offsetCount]);
    }

    private DType ReadDType(ref Utf8JsonReader reader, string name)
    {
        Expect(ref reader, JsonTokenType.String, name, "dtype");
        for (int i = 0; i < DTypes.All.Count; i++)
        {
            if (reader.ValueTextEquals(DTypes.All[i].SafetensorsName()))
                return DTypes.All[i];
        }

        throw new TensorFormatException(TensorFormatReason.BadDType,
            $"{source}: {Tensor(name)}: dtype {TensorText.Quote(reader.GetString()!)}; known: {string.Join(", ", DTypes.All.Select(d => d.SafetensorsName()))}.");
    }

    private long[] ReadShape(ref Utf8JsonReader reader, string name)
    {
        Span<long> sizes = stackalloc long[limits.MaxRank];
        return sizes[..ReadIntegers(ref reader, name, "shape", sizes, TensorFormatReason.BadShape)].ToArray();
    }

    private int ReadIntegers(ref Utf8JsonReader reader, string name, string field, scoped Span<long> values, TensorFormatReason reason)
    {
        int count = 0;
        Expect(ref reader, JsonTokenType.StartArray, name, field);
        while (Read(ref reader) != JsonTokenType.EndArray)
        {
            if (reader.TokenType != JsonTokenType.Number || !reader.TryGetInt64(out long value) || value < 0)
                throw new TensorFormatException(reason, $"{source}: {Tensor(name)}, {field}: entry {count} is no integer from 0 to 2^63 - 1.");
            if (count == values.Length)
                throw new TensorFormatException(reason, $"{source}: {Tensor(name)}, {field}: more than {values.Length} entries.");

            values[count++] = value;
        }

        return count;
    }

    private TensorInfo Check(string name, DType dtype, long[] shape, scoped ReadOnlySpan<long> offsets)
    {
        if (shape.AsSpan().IndexOfAnyExceptInRange(0, limits.MaxDimension) >= 0)
        {
            throw new TensorFormatException(TensorFormatReason.BadShape,
                $"{source}: {Tensor(name)}: shape {TensorText.Shape(shape)} has a dimension above {limits.MaxDimension}.");
        }

        if (!TensorShape.TryCountElements(shape, out long count) || count > long.MaxValue / dtype.Size())
        {
            throw new TensorFormatException(TensorFormatReason.BadShape,
                $"{source}: {Tensor(name)}: shape {TensorText.Shape(shape)} has more than 2^63 - 1 bytes.");
        }

        long length = count * dtype.Size();
        if (offsets.Length != 2 || offsets[1] < offsets[0] || offsets[1] - offsets[0] != length)
        {
            throw new TensorFormatException(TensorFormatReason.BadOffsets,
                $"{source}: {Tensor(name)}: data_offsets [{string.Join(", ", offsets.ToArray())}]; " +
                $"shape {TensorText.Shape(shape)} of {dtype.SafetensorsName()} needs begin and end {length} bytes apart.");
        }

        return new(name, dtype, shape, offsets[0], length);
    }

    // Empty tensors lie before what begins at the same place; by name among themselves, so that the order is one order.
    private static int ByPlace(TensorInfo left, TensorInfo right) =>
        left.Offset != right.Offset ? left.Offset.CompareTo(right.Offset)
        : left.Length != right.Length ? left.Length.CompareTo(right.Length)
        : string.CompareOrdinal(left.Name, right.Name);

    private TensorInfo[] SortByName()
    {
        _tensors.Sort(static (left, right) => string.CompareOrdinal(left.Name, right.Name));
        for (int i = 1; i < _tensors.Count; i++)
        {
            if (_tensors[i].Name == _tensors[i - 1].Name)
                throw new TensorFormatException(TensorFormatReason.BadTensorSet, $"{source}: tensor {TensorText.Quote(_tensors[i].Name)} is declared twice.");
        }

        return [.. _tensors];
    }

    private void CheckLayout(long dataLength)
    {
        long end = 0;
        foreach (TensorInfo tensor in _tensors)
        {
            if (tensor.Offset != end)
            {
                throw new TensorFormatException(TensorFormatReason.BadOffsets,
                    $"{source}: tensor {TensorText.Quote(tensor.Name)} begins at {tensor.Offset}, the one before ends at {end}: " +
                    (tensor.Offset > end ? "a gap." : "an overlap."));
            }

            end += tensor.Length;
        }

        if (end != dataLength)
        {
            throw new TensorFormatException(TensorFormatReason.LengthMismatch,
                $"{source}: the tensors take {end} bytes, the data section has {dataLength}. " +
                (end > dataLength ? "The file is truncated." : "There are bytes after the last tensor."));
        }
    }

    private JsonTokenType Read(ref Utf8JsonReader reader) =>
        reader.Read() ? reader.TokenType : throw Bad($"the header ends early at byte {reader.BytesConsumed}");

    private void Expect(ref Utf8JsonReader reader, JsonTokenType wanted, string? tensor, string? field = null)
    {
        JsonTokenType got = Read(ref reader);
        if (got != wanted)
            throw Bad($"{Tensor(tensor)}{(field is null ? "" : $", {field}")} is {got}, wanted {wanted}");
    }

    /// <summary>Moves to the next name in an object; false at its end.</summary>
    private bool NextField(ref Utf8JsonReader reader, string? tensor) => Read(ref reader) switch
    {
        JsonTokenType.PropertyName => true,
        JsonTokenType.EndObject => false,
        JsonTokenType token => throw Bad($"{Tensor(tensor)} holds {token}, wanted a name"),
    };

    private static string Tensor(string? name) => name is null ? "the header" : name == Metadata ? $"'{Metadata}'" : $"tensor {TensorText.Quote(name)}";

    private TensorFormatException Bad(string what, Exception? inner = null) =>
        new(TensorFormatReason.BadHeader, $"{source}: {what}.", inner);
}
