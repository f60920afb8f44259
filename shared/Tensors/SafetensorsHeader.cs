using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;

namespace Federated.Shared.Tensors;

/// <summary>The header of a safetensors file: 8 bytes of length (little-endian), that many bytes of JSON, then the data section.</summary>
/// <remarks>
/// Needs no file: a receiver checks <see cref="ReadJsonLength"/> on the first 8 bytes and <see cref="Parse"/> on the next ones
/// while the body is still on its way. An accepted header has unique names, known element types, and tensors that fill
/// the data section from 0 to its end without gap or overlap. Source of the format: the safetensors README, "Format".
/// </remarks>
public sealed class SafetensorsHeader
{
    /// <summary>Bytes of the length prefix.</summary>
    public const int PrefixLength = 8;

    private readonly TensorInfo[] _byName;

    internal SafetensorsHeader(
        string source, IReadOnlyList<TensorInfo> tensors, TensorInfo[] byName, IReadOnlyDictionary<string, string> metadata, long jsonLength)
    {
        Source = source;
        Tensors = tensors;
        Metadata = metadata;
        DataStart = PrefixLength + jsonLength;
        DataLength = tensors.Count == 0 ? 0 : tensors[^1].Offset + tensors[^1].Length;
        _byName = byName;
    }

    /// <summary>What error messages call the file or upload.</summary>
    public string Source { get; }

    /// <summary>All tensors in order of their offsets.</summary>
    public IReadOnlyList<TensorInfo> Tensors { get; }

    /// <summary>Free-form text of the entry <c>__metadata__</c>; often <c>format: pt</c>.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>Where the data section begins, in bytes from the start of the file.</summary>
    public long DataStart { get; }

    /// <summary>Bytes of the data section.</summary>
    public long DataLength { get; }

    /// <summary>Bytes of the whole file.</summary>
    public long FileLength => DataStart + DataLength;

    /// <summary>Reads the length prefix and holds it against the limit and the bytes that can follow.</summary>
    /// <param name="prefix">The first 8 bytes, or fewer if there are no more.</param>
    /// <param name="fileLength">Bytes of the whole file, prefix included.</param>
    /// <param name="limits">Bounds.</param>
    /// <param name="source">What error messages call the file.</param>
    /// <returns>Bytes of JSON that follow; at least 2.</returns>
    /// <exception cref="TensorFormatException">Too short, too long, or beyond the limit.</exception>
    public static int ReadJsonLength(ReadOnlySpan<byte> prefix, long fileLength, SafetensorsLimits limits, string source)
    {
        if (prefix.Length < PrefixLength || fileLength < PrefixLength)
        {
            throw new TensorFormatException(TensorFormatReason.LengthMismatch,
                $"{source}: {Math.Min(prefix.Length, fileLength)} bytes; a safetensors file begins with 8 bytes of header length.");
        }

        ulong length = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
        if (length > (ulong)limits.MaxHeaderBytes)
        {
            throw new TensorFormatException(TensorFormatReason.BadHeader,
                $"{source}: declares a header of {length} bytes, at most {limits.MaxHeaderBytes} are allowed. Probably no safetensors file.");
        }

        if (length > (ulong)(fileLength - PrefixLength))
        {
            throw new TensorFormatException(TensorFormatReason.LengthMismatch,
                $"{source}: declares a header of {length} bytes, but only {fileLength - PrefixLength} bytes follow. The file is truncated or no safetensors file.");
        }

        if (length < 2)
        {
            throw new TensorFormatException(TensorFormatReason.BadHeader,
                $"{source}: declares a header of {length} bytes; the smallest one, '{{}}', has 2.");
        }

        return (int)length;
    }

    /// <summary>Parses and checks a header strictly.</summary>
    /// <param name="json">The JSON bytes alone, padding included.</param>
    /// <param name="fileLength">Bytes of the whole file: prefix, JSON and data.</param>
    /// <param name="limits">Bounds.</param>
    /// <param name="source">What error messages call the file.</param>
    /// <exception cref="TensorFormatException">Any breach of the format or of a limit.</exception>
    public static SafetensorsHeader Parse(ReadOnlySpan<byte> json, long fileLength, SafetensorsLimits limits, string source) =>
        new SafetensorsHeaderParser(limits, source).Parse(json, fileLength);

    /// <summary>Lays out declared tensors as the official library does: wide element types first, then by name.</summary>
    /// <param name="tensors">Declarations; their offsets are ignored.</param>
    /// <param name="metadata">Text for <c>__metadata__</c>; none when null or empty.</param>
    /// <returns>The header, and its bytes (prefix, JSON, spaces up to a multiple of 8). The same declarations give the same bytes.</returns>
    /// <exception cref="TensorFormatException">A name occurs twice or is reserved, or the sum of lengths overflows.</exception>
    public static (SafetensorsHeader Header, byte[] Bytes) Create(
        IEnumerable<TensorInfo> tensors, IReadOnlyDictionary<string, string>? metadata = null) =>
        SafetensorsHeaderBuilder.Build(tensors, metadata);

    /// <summary>Finds a tensor.</summary>
    /// <param name="name">Exact name.</param>
    /// <param name="info">Its description, when found.</param>
    public bool TryGetInfo(string name, [MaybeNullWhen(false)] out TensorInfo info)
    {
        // A dictionary would be a quarter of what a header full of short entries takes.
        int low = 0, high = _byName.Length - 1;
        while (low <= high)
        {
            int middle = (low + high) / 2, order = string.CompareOrdinal(name, _byName[middle].Name);
            if (order == 0)
            {
                info = _byName[middle];
                return true;
            }

            (low, high) = order < 0 ? (low, middle - 1) : (middle + 1, high);
        }

        info = null;
        return false;
    }

    /// <summary>Finds a tensor that must be there.</summary>
    /// <param name="name">Exact name.</param>
    /// <exception cref="TensorFormatException">Not there; the message lists the nearest names.</exception>
    public TensorInfo Info(string name) =>
        TryGetInfo(name, out TensorInfo? info)
            ? info
            : throw new TensorFormatException(TensorFormatReason.BadTensorSet,
                $"{Source}: no tensor {TensorText.Quote(name)}. {TensorText.NearNames(name, Tensors.Select(t => t.Name))}");
}
