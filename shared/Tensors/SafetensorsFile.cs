using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.IO.MemoryMappedFiles;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Federated.Shared.Tensors;

/// <summary>A safetensors file, memory-mapped for reading. Opening costs the header only; pages come in when touched.</summary>
/// <remarks>
/// Spans and pointers are views of the mapping: they are valid until <see cref="Dispose"/>, and only as long as nobody shortens the file
/// (the operating system ends a process that touches a page which is gone). A file that is never disposed keeps its mapping.
/// <see cref="ReadFloats(TensorInfo, Span{float})"/> goes through the file instead: pages of a mapping count as the process's memory once
/// touched, a read's do not, and a file that was shortened is an error there rather than the end.
/// Reading from several threads is safe; disposing while another thread reads is not.
/// </remarks>
public sealed unsafe class SafetensorsFile : IDisposable
{
    private const int ConversionBytes = 64 * 1024;

    private readonly SafetensorsHeader _header;
    private readonly SafeFileHandle _handle;
    private readonly MemoryMappedFile _mapping;
    private readonly MemoryMappedViewAccessor _view;
    private byte* _data;

    private SafetensorsFile(
        string path, SafetensorsHeader header, SafeFileHandle handle, MemoryMappedFile mapping, MemoryMappedViewAccessor view)
    {
        Path = path;
        _header = header;
        _handle = handle;
        _mapping = mapping;
        _view = view;
        byte* start = null;
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
        _data = start + view.PointerOffset + header.DataStart;
    }

    /// <summary>The path given to <see cref="Open"/>.</summary>
    public string Path { get; }

    /// <summary>The parsed header.</summary>
    public SafetensorsHeader Header => _header;

    /// <summary>All tensors in order of their offsets.</summary>
    public IReadOnlyList<TensorInfo> Tensors => _header.Tensors;

    /// <summary>Free-form text of the entry <c>__metadata__</c>.</summary>
    public IReadOnlyDictionary<string, string> Metadata => _header.Metadata;

    /// <summary>Opens and checks a file.</summary>
    /// <param name="path">File to read; others may read it at the same time.</param>
    /// <param name="limits">Bounds of the header; <see cref="SafetensorsLimits.Local"/> if null.</param>
    /// <exception cref="TensorFormatException">The header or the length of the file is wrong.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static SafetensorsFile Open(string path, SafetensorsLimits? limits = null)
    {
        limits ??= SafetensorsLimits.Local;
        FileStream stream = new(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
        MemoryMappedFile? mapping = null;
        MemoryMappedViewAccessor? view = null;
        try
        {
            SafetensorsHeader header = ReadHeader(stream, limits, path);
            mapping = MemoryMappedFile.CreateFromFile(
                stream, mapName: null, capacity: 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: false);
            view = mapping.CreateViewAccessor(0, header.FileLength, MemoryMappedFileAccess.Read);
            return new(path, header, stream.SafeFileHandle, mapping, view);
        }
        catch
        {
            view?.Dispose();
            mapping?.Dispose();
            stream.Dispose();
            throw;
        }
    }

    /// <summary>Finds a tensor.</summary>
    /// <param name="name">Exact name.</param>
    /// <param name="info">Its description, when found.</param>
    public bool TryGetInfo(string name, [MaybeNullWhen(false)] out TensorInfo info) => _header.TryGetInfo(name, out info);

    /// <summary>Finds a tensor that must be there.</summary>
    /// <param name="name">Exact name.</param>
    /// <exception cref="TensorFormatException">Not there; the message lists the nearest names.</exception>
    public TensorInfo Info(string name) => _header.Info(name);

    /// <summary>The stored bytes of a tensor of less than 2 GiB.</summary>
    /// <param name="tensor">A tensor of this file.</param>
    /// <exception cref="ArgumentException">Not of this file, or 2 GiB and more: take <see cref="Bytes(TensorInfo, long, int)"/>.</exception>
    public ReadOnlySpan<byte> Bytes(TensorInfo tensor)
    {
        if (tensor.Length > int.MaxValue)
            throw new ArgumentException($"{Path}: tensor '{tensor.Name}' has {tensor.Length} bytes, more than one span can hold; read it in slices.", nameof(tensor));

        return new((void*)Pointer(tensor), (int)tensor.Length);
    }

    /// <summary>A slice of the stored bytes of a tensor.</summary>
    /// <param name="tensor">A tensor of this file.</param>
    /// <param name="offset">First byte within the tensor.</param>
    /// <param name="length">Bytes.</param>
    /// <exception cref="ArgumentException">The tensor is not of this file, or the slice leaves it.</exception>
    public ReadOnlySpan<byte> Bytes(TensorInfo tensor, long offset, int length)
    {
        nint start = Pointer(tensor);
        if (offset < 0 || length < 0 || offset > tensor.Length - length)
            throw new ArgumentException($"{Path}: slice of {length} bytes at {offset} leaves tensor '{tensor.Name}' of {tensor.Length} bytes.", nameof(offset));

        return new((byte*)start + offset, length);
    }

    /// <summary>Address of a tensor's first byte, for native code that reads without a copy.</summary>
    /// <param name="tensor">A tensor of this file.</param>
    /// <returns>
    /// Read-only memory, valid until <see cref="Dispose"/>. Files written by the official library or by <see cref="SafetensorsWriter"/>
    /// give addresses that are multiples of the element's size; others may not.
    /// </returns>
    /// <exception cref="ArgumentException">The tensor is not of this file.</exception>
    [SuppressMessage("Naming", "CA1720:Identifier contains type name", Justification = "It is a pointer: the name says that no copy is made.")]
    public nint Pointer(TensorInfo tensor)
    {
        ObjectDisposedException.ThrowIf(_data is null, this);
        if (!_header.TryGetInfo(tensor.Name, out TensorInfo? own) || !own.Equals(tensor))
            throw new ArgumentException($"{Path}: the tensor described as '{tensor}' at {tensor.Offset} is not of this file.", nameof(tensor));

        return (nint)(_data + tensor.Offset);
    }

    /// <summary>Reads a whole floating-point tensor as float32.</summary>
    /// <param name="tensor">F32, F16, BF16 or F64 (rounded to nearest even).</param>
    /// <param name="destination">Exactly <see cref="TensorInfo.ElementCount"/> values.</param>
    /// <exception cref="TensorFormatException">The tensor holds no floating-point numbers.</exception>
    /// <exception cref="ArgumentException">The destination has another length.</exception>
    public void ReadFloats(TensorInfo tensor, Span<float> destination)
    {
        if (destination.Length != tensor.ElementCount)
            throw new ArgumentException($"{Path}: tensor '{tensor.Name}' has {tensor.ElementCount} elements, the destination {destination.Length}.", nameof(destination));

        ReadFloats(tensor, 0, destination);
    }

    /// <summary>Reads a slice of a floating-point tensor as float32.</summary>
    /// <param name="tensor">F32, F16, BF16 or F64 (rounded to nearest even).</param>
    /// <param name="firstElement">Row-major index of the first element.</param>
    /// <param name="destination">As many values as are wanted.</param>
    /// <exception cref="TensorFormatException">The tensor holds no floating-point numbers.</exception>
    /// <exception cref="ArgumentException">The slice leaves the tensor.</exception>
    /// <exception cref="EndOfStreamException">The file was shortened after it was opened.</exception>
    public void ReadFloats(TensorInfo tensor, long firstElement, Span<float> destination)
    {
        _ = Pointer(tensor);
        if (!tensor.DType.IsFloat())
        {
            throw new TensorFormatException(TensorFormatReason.BadDType,
                $"{Path}: tensor {TensorText.Quote(tensor.Name)} holds {tensor.DType.SafetensorsName()}, wanted F32, F16, BF16 or F64.");
        }

        if (firstElement < 0 || firstElement > tensor.ElementCount - destination.Length)
        {
            throw new ArgumentException(
                $"{Path}: slice of {destination.Length} elements at {firstElement} leaves tensor '{tensor.Name}' of {tensor.ElementCount}.", nameof(firstElement));
        }

        long position = _header.DataStart + tensor.Offset + (firstElement * tensor.DType.Size());
        if (tensor.DType == DType.F32)
            ReadBytes(position, destination);
        else
            ReadConverted(tensor.DType, position, destination);
    }

    /// <summary>Ends the mapping; every span and pointer taken from it becomes invalid.</summary>
    public void Dispose()
    {
        if (_data is null)
            return;

        _data = null;
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _mapping.Dispose();
    }

    private void ReadConverted(DType dtype, long position, Span<float> destination)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(ConversionBytes);
        try
        {
            while (!destination.IsEmpty)
            {
                int count = Math.Min(destination.Length, ConversionBytes / dtype.Size());
                Span<byte> stored = buffer.AsSpan(0, count * dtype.Size());
                ReadBytes(position, stored);
                FloatConversion.ToFloats(dtype, stored, destination[..count]);
                position += stored.Length;
                destination = destination[count..];
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private void ReadBytes<T>(long position, Span<T> destination)
        where T : unmanaged
    {
        // A span of bytes ends at 2 GiB, one of floats at 8: in pieces.
        const int Piece = 1 << 28;
        for (; destination.Length > Piece; destination = destination[Piece..], position += (long)Piece * sizeof(T))
            ReadBytes(position, destination[..Piece]);

        for (Span<byte> left = MemoryMarshal.AsBytes(destination); !left.IsEmpty;)
        {
            int got = RandomAccess.Read(_handle, left, position);
            if (got == 0)
                throw new EndOfStreamException($"{Path} ends {left.Length} bytes too early at {position}: it was shortened after it was opened.");

            left = left[got..];
            position += got;
        }
    }

    private static SafetensorsHeader ReadHeader(FileStream stream, SafetensorsLimits limits, string path)
    {
        long length = stream.Length;
        byte[] prefix = new byte[SafetensorsHeader.PrefixLength];
        int got = stream.ReadAtLeast(prefix, prefix.Length, throwOnEndOfStream: false);
        byte[] json = new byte[SafetensorsHeader.ReadJsonLength(prefix.AsSpan(0, got), length, limits, path)];
        stream.ReadExactly(json);
        return SafetensorsHeader.Parse(json, length, limits, path);
    }
}
