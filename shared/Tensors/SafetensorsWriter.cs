using System.Buffers;
using System.Collections.Frozen;

namespace Federated.Shared.Tensors;

/// <summary>Writes a safetensors file in one pass: every tensor is declared first, then its bytes follow in the file's order.</summary>
/// <remarks>The same tensors give the same bytes, whatever order they were declared in; they equal the official library's.</remarks>
public sealed class SafetensorsWriter : IDisposable
{
    private const int BlockElements = 16 * 1024;

    private readonly Stream _stream;
    private readonly bool _leaveOpen;
    private int _current;
    private long _written;
    private bool _disposed;

    /// <summary>Writes the header.</summary>
    /// <param name="stream">Where the file goes, from the stream's present position.</param>
    /// <param name="tensors">All tensors: see <see cref="TensorInfo.Declare"/>. Offsets are ignored.</param>
    /// <param name="metadata">Text entries; <see cref="PyTorchMetadata"/> is what Python loaders expect.</param>
    /// <param name="leaveOpen">Whether <see cref="Dispose"/> leaves the stream open.</param>
    /// <exception cref="TensorFormatException">A name occurs twice or is reserved, or a shape is wrong.</exception>
    public SafetensorsWriter(
        Stream stream, IEnumerable<TensorInfo> tensors, IReadOnlyDictionary<string, string>? metadata = null, bool leaveOpen = false)
    {
        (Header, byte[] bytes) = SafetensorsHeader.Create(tensors, metadata);
        _stream = stream;
        _leaveOpen = leaveOpen;
        stream.Write(bytes);
        SkipEmpty();
    }

    /// <summary>The metadata that says "tensors in PyTorch's layout": <c>format: pt</c>. Hugging Face's loaders ask for it.</summary>
    public static IReadOnlyDictionary<string, string> PyTorchMetadata { get; } =
        new Dictionary<string, string> { ["format"] = "pt" }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>The layout of the file.</summary>
    public SafetensorsHeader Header { get; }

    /// <summary>The tensors in the order in which their bytes are to be written.</summary>
    public IReadOnlyList<TensorInfo> Tensors => Header.Tensors;

    /// <summary>Writes the next bytes of a tensor: all at once, or in chunks.</summary>
    /// <param name="name">The tensor whose turn it is, see <see cref="Tensors"/>.</param>
    /// <param name="chunk">Little-endian elements in row-major order.</param>
    /// <exception cref="InvalidOperationException">It is another tensor's turn, or the chunk goes beyond its end.</exception>
    public void WriteTensor(string name, ReadOnlySpan<byte> chunk)
    {
        Claim(name, chunk.Length);
        _stream.Write(chunk);
        Advance(chunk.Length);
    }

    /// <summary>Writes the next values of a tensor, converted to its declared type (rounding to nearest even).</summary>
    /// <param name="name">The tensor whose turn it is; F32, F16, BF16 or F64.</param>
    /// <param name="chunk">Values in row-major order.</param>
    /// <exception cref="InvalidOperationException">It is another tensor's turn, or the chunk goes beyond its end.</exception>
    /// <exception cref="ArgumentException">The tensor was declared with a type that is no floating-point type.</exception>
    public void WriteTensor(string name, ReadOnlySpan<float> chunk)
    {
        DType dtype = Header.Info(name).DType;
        int size = dtype.Size();
        Claim(name, (long)chunk.Length * size);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(Math.Min(chunk.Length, BlockElements) * size);
        try
        {
            while (!chunk.IsEmpty)
            {
                int count = Math.Min(chunk.Length, BlockElements);
                Span<byte> block = buffer.AsSpan(0, count * size);
                FloatConversion.FromFloats(dtype, chunk[..count], block);
                _stream.Write(block);
                Advance(block.Length);
                chunk = chunk[count..];
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Checks that every tensor was written in full, and flushes the stream.</summary>
    /// <exception cref="InvalidOperationException">Bytes are missing; the message says of which tensor.</exception>
    public void Complete()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (_current < Tensors.Count)
        {
            throw new InvalidOperationException(
                $"Tensor '{Tensors[_current].Name}' has {_written} of its {Tensors[_current].Length} bytes, and {Tensors.Count - _current - 1} more tensors are missing.");
        }

        _stream.Flush();
    }

    /// <summary>Closes the stream unless told to leave it open. Does not check: call <see cref="Complete"/> first.</summary>
    public void Dispose()
    {
        if (_disposed)
            return;

        _disposed = true;
        if (!_leaveOpen)
            _stream.Dispose();
    }

    private void Claim(string name, long bytes)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        TensorInfo tensor = Header.Info(name);
        if (tensor.Length == 0 && bytes == 0)
            return;

        TensorInfo? turn = _current < Tensors.Count ? Tensors[_current] : null;
        if (turn?.Name != name)
            throw new InvalidOperationException($"Tensor '{name}' is not next: {(turn is null ? "all are written" : $"it is the turn of '{turn.Name}'")}. Write in the order of Tensors.");
        if (bytes > turn.Length - _written)
            throw new InvalidOperationException($"Tensor '{name}' has {turn.Length} bytes, {_written} are written, {bytes} more were given.");
    }

    private void Advance(int bytes)
    {
        _written += bytes;
        SkipEmpty();
    }

    private void SkipEmpty()
    {
        while (_current < Tensors.Count && _written == Tensors[_current].Length)
        {
            _current++;
            _written = 0;
        }
    }
}
