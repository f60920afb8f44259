using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Federated.Shared.Tensors;

/// <summary>Layout and bytes of <see cref="SafetensorsHeader.Create"/>, the same as the official library's.</summary>
internal static class SafetensorsHeaderBuilder
{
    private const int Alignment = 8;

    public static (SafetensorsHeader Header, byte[] Bytes) Build(IEnumerable<TensorInfo> tensors, IReadOnlyDictionary<string, string>? metadata)
    {
        TensorInfo[] placed = Place(tensors);
        byte[] json = Encoding.UTF8.GetBytes(Json(placed, metadata));
        int padded = (json.Length + Alignment - 1) / Alignment * Alignment;
        byte[] bytes = new byte[SafetensorsHeader.PrefixLength + padded];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, (ulong)padded);
        json.CopyTo(bytes, SafetensorsHeader.PrefixLength);
        bytes.AsSpan(SafetensorsHeader.PrefixLength + json.Length).Fill((byte)' ');
        SortedDictionary<string, string> kept = new(StringComparer.Ordinal);
        foreach ((string key, string value) in metadata ?? new Dictionary<string, string>())
            kept.Add(key, value);

        return (new("new safetensors file", placed, [.. placed.OrderBy(t => t.Name, StringComparer.Ordinal)], kept, padded), bytes);
    }

    private static TensorInfo[] Place(IEnumerable<TensorInfo> tensors)
    {
        TensorInfo[] ordered = [.. tensors.OrderByDescending(t => t.DType.SerialisationRank()).ThenBy(t => t.Name, Utf8Order)];
        HashSet<string> names = new(StringComparer.Ordinal);
        long end = 0;
        for (int i = 0; i < ordered.Length; i++)
        {
            TensorInfo tensor = ordered[i];
            if (tensor.Name == "__metadata__" || !names.Add(tensor.Name))
            {
                throw new TensorFormatException(TensorFormatReason.BadTensorSet,
                    $"Tensor {TensorText.Quote(tensor.Name)} is declared twice, or has the name that the format reserves.");
            }

            ordered[i] = TensorInfo.Declare(tensor.Name, tensor.DType, tensor.Shape) with { Offset = end };
            if (ordered[i].Length > long.MaxValue - end)
            {
                throw new TensorFormatException(TensorFormatReason.BadShape,
                    $"Tensor {TensorText.Quote(tensor.Name)} {TensorText.Shape(tensor.Shape)} takes the file beyond 2^63 - 1 bytes.");
            }

            end += ordered[i].Length;
        }

        return ordered;
    }

    private static string Json(TensorInfo[] tensors, IReadOnlyDictionary<string, string>? metadata)
    {
        StringBuilder json = new("{");
        if (metadata is { Count: > 0 })
        {
            json.Append("\"__metadata__\":{");
            foreach ((string key, string value) in metadata.OrderBy(m => m.Key, Utf8Order))
            {
                AppendString(json, key).Append(':');
                AppendString(json, value).Append(',');
            }

            json.Length--;
            json.Append("},");
        }

        foreach (TensorInfo tensor in tensors)
        {
            AppendString(json, tensor.Name);
            json.Append(CultureInfo.InvariantCulture,
                $":{{\"dtype\":\"{tensor.DType.SafetensorsName()}\",\"shape\":[{string.Join(',', tensor.Shape)}],\"data_offsets\":[{tensor.Offset},{tensor.Offset + tensor.Length}]}},");
        }

        if (json[^1] == ',')
            json.Length--;

        return json.Append('}').ToString();
    }

    /// <summary>Escapes what JSON must escape and nothing else, as the official library's serialiser does.</summary>
    private static StringBuilder AppendString(StringBuilder json, string text)
    {
        json.Append('"');
        foreach (char c in text)
        {
            switch (c)
            {
                case '"': json.Append("\\\""); break;
                case '\\': json.Append("\\\\"); break;
                case '\b': json.Append("\\b"); break;
                case '\f': json.Append("\\f"); break;
                case '\n': json.Append("\\n"); break;
                case '\r': json.Append("\\r"); break;
                case '\t': json.Append("\\t"); break;
                case < ' ': json.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}"); break;
                default: json.Append(c); break;
            }
        }

        return json.Append('"');
    }

    /// <summary>Order of UTF-8 bytes: code points, where UTF-16's order puts surrogates before U+E000.</summary>
    private static readonly Comparer<string> Utf8Order = Comparer<string>.Create(static (left, right) =>
        Encoding.UTF8.GetBytes(left).AsSpan().SequenceCompareTo(Encoding.UTF8.GetBytes(right)));
}
