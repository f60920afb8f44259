using System.Text.Json;

namespace Federated.Shared.Tensors;

/// <summary>The strict reading of <see cref="SafetensorsHeader.Parse"/>: no duplicates, no unknown fields, no comments, integers only.</summary>
internal sealed class SafetensorsHeaderParser(SafetensorsLimits limits, string source)
{
    // {"name": {"shape": [1]}}: three levels. Deeper input is refused by the reader before we look at it.
    private const int MaxDepth = 3;
    private const string Metadata = "__metadata__";

    private readonly List<TensorInfo> _tensors = [];
    private readonly HashSet<string> _names = new(StringComparer.Ordinal);
    private SortedDictionary<string, string>? _metadata;

    public SafetensorsHeader Parse(ReadOnlySpan<byte> json, long fileLength)
    {
        if (json.IsEmpty || json[0] != (byte)'{')
            throw Bad("the header must begin with '{'");

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

        List<TensorInfo> ordered = [.. _tensors.OrderBy(t => t.Offset).ThenBy(t => t.Length)];
        CheckLayout(ordered, fileLength - SafetensorsHeader.PrefixLength - json.Length);
        return new(source, ordered, _metadata ?? [], json.Length);
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
            if (!_names.Add(name))
                throw new TensorFormatException(TensorFormatReason.BadTensorSet, $"{source}: tensor {TensorText.Quote(name)} is declared twice.");
            if (_names.Count > limits.MaxTensors)
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
        long[]? shape = null, offsets = null;
        Expect(ref reader, JsonTokenType.StartObject, name);
        while (NextField(ref reader, name))
        {
            if (dtype is null && reader.ValueTextEquals("dtype"u8))
                dtype = ReadDType(ref reader, name);
            else if (shape is null && reader.ValueTextEquals("shape"u8))
                shape = ReadIntegers(ref reader, name, "shape", limits.MaxRank, TensorFormatReason.BadShape);
            else if (offsets is null && reader.ValueTextEquals("data_offsets"u8))
                offsets = ReadIntegers(ref reader, name, "data_offsets", 2, TensorFormatReason.BadOffsets);
            else
                throw Bad($"{Tensor(name)}: field {TensorText.Quote(reader.GetString()!)} is unknown or occurs twice; wanted dtype, shape, data_offsets once each");
        }

        if (dtype is null || shape is null || offsets is null)
            throw Bad($"{Tensor(name)}: wanted the fields dtype, shape, data_offsets; some are missing");

        return Check(name, dtype.Value, shape, offsets);
    }

    private DType ReadDType(ref Utf8JsonReader reader, string name)
    {
        Expect(ref reader, JsonTokenType.String, name, "dtype");
        foreach (DType dtype in DTypes.All)
        {
            if (reader.ValueTextEquals(dtype.SafetensorsName()))
                return dtype;
        }

        throw new TensorFormatException(TensorFormatReason.BadDType,
            $"{source}: {Tensor(name)}: dtype {TensorText.Quote(reader.GetString()!)}; known: {string.Join(", ", DTypes.All.Select(d => d.SafetensorsName()))}.");
    }

    private long[] ReadIntegers(ref Utf8JsonReader reader, string name, string field, int most, TensorFormatReason reason)
    {
        Span<long> values = stackalloc long[most];
        int count = 0;
        Expect(ref reader, JsonTokenType.StartArray, name, field);
        while (Read(ref reader) != JsonTokenType.EndArray)
        {
            if (reader.TokenType != JsonTokenType.Number || !reader.TryGetInt64(out long value) || value < 0)
                throw new TensorFormatException(reason, $"{source}: {Tensor(name)}, {field}: entry {count} is no integer from 0 to 2^63 - 1.");
            if (count == most)
                throw new TensorFormatException(reason, $"{source}: {Tensor(name)}, {field}: more than {most} entries.");

            values[count++] = value;
        }

        return values[..count].ToArray();
    }

    private TensorInfo Check(string name, DType dtype, long[] shape, long[] offsets)
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
                $"{source}: {Tensor(name)}: data_offsets [{string.Join(", ", offsets)}]; " +
                $"shape {TensorText.Shape(shape)} of {dtype.SafetensorsName()} needs begin and end {length} bytes apart.");
        }

        return new(name, dtype, shape, offsets[0], length);
    }

    private void CheckLayout(List<TensorInfo> ordered, long dataLength)
    {
        long end = 0;
        foreach (TensorInfo tensor in ordered)
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
