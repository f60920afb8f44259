using System.Buffers.Binary;
using System.IO.Compression;
using Microsoft.Win32.SafeHandles;

namespace Federated.Client.Data.Images;

/// <summary>A file of unsigned bytes in the IDX format of the MNIST database, as it is or compressed with gzip.</summary>
/// <remarks>
/// Two zero bytes, the type (8 for unsigned bytes), the number of dimensions, each dimension as a big-endian 32-bit number, then the bytes.
/// An uncompressed file is read in place; a compressed one is inflated into memory, so its size is bounded.
/// Source: LeCun, Cortes, Burges, "The MNIST database of handwritten digits".
/// </remarks>
internal sealed class IdxFile
{
    /// <summary>Most bytes of a compressed file's content.</summary>
    internal const int LargestInflated = 1 << 30;

    private const byte UnsignedByte = 8;
    private const int FirstRoom = 1 << 20;
    private readonly string _path;
    private readonly byte[]? _content;
    private readonly int _start;

    private IdxFile(string path, int[] dimensions, int start, byte[]? content) => (_path, Dimensions, _start, _content) = (path, dimensions, start, content);

    /// <summary>The sizes, at least 1 each.</summary>
    internal IReadOnlyList<int> Dimensions { get; }

    /// <summary>Whether a file begins as an IDX file does.</summary>
    internal static bool Is(string path)
    {
        // Nothing to be read from a pipe here: it gives its bytes but once.
        if (new FileInfo(path) is not { Exists: true, Length: > 0 })
            return false;
        Span<byte> magic = stackalloc byte[4];
        try
        {
            using Stream content = Content(path);
            return content.ReadAtLeast(magic, magic.Length, throwOnEndOfStream: false) == magic.Length && magic is [0, 0, >= UnsignedByte and <= 14, >= 1 and <= 8];
        }
        catch (InvalidDataException)
        {
            return false;
        }
    }

    /// <summary>Opens a file of so many dimensions.</summary>
    /// <exception cref="DataFormatException">It is none, or of another type, or of another size than its dimensions say.</exception>
    internal static IdxFile Open(string path, int dimensions)
    {
        using Stream content = Content(path);
        using BoundedInput bounded = new(content, path, content is FileStream ? long.MaxValue : LargestInflated);
        Span<byte> magic = stackalloc byte[4];
        Read(bounded, magic, path);
        if (magic is not [0, 0, UnsignedByte, _] || magic[3] != dimensions)
        {
            throw new DataFormatException(path, 0,
                $"is no IDX file of unsigned bytes in {dimensions} dimensions, which begins with the bytes 0, 0, {UnsignedByte}, {dimensions}. Save it as one, or name a folder of images.");
        }

        int[] sizes = new int[dimensions];
        long count = 1;
        Span<byte> number = stackalloc byte[sizeof(int)];
        for (int i = 0; i < dimensions; i++)
        {
            Read(bounded, number, path);
            sizes[i] = BinaryPrimitives.ReadInt32BigEndian(number);
            if (sizes[i] < 1)
                throw new DataFormatException(path, 0, $"its dimension {i + 1} is {BinaryPrimitives.ReadUInt32BigEndian(number)}; wanted 1 to {int.MaxValue}.");

            // Each factor is below 2^31, and what exceeds the largest file ends it: no product overflows.
            count *= sizes[i];
            if (count > 1L << 32)
                throw new DataFormatException(path, 0, $"its dimensions {string.Join(" x ", sizes[..(i + 1)])} are more than {1L << 32:N0} bytes; split it.");
        }

        int start = sizeof(int) * (1 + dimensions);
        return content is FileStream file ? InPlace(path, file.Length, sizes, start, count) : new(path, sizes, start: 0, Inflate(bounded, path, sizes, count));
    }

    /// <summary>Reads bytes.</summary>
    /// <param name="from">The first, counted behind the header.</param>
    /// <param name="target">Where they go.</param>
    internal void Read(long from, Span<byte> target)
    {
        if (_content is not null)
        {
            _content.AsSpan((int)from, target.Length).CopyTo(target);
            return;
        }

        using SafeFileHandle file = File.OpenHandle(_path);
        for (int done = 0; done < target.Length;)
        {
            int read = RandomAccess.Read(file, target[done..], _start + from + done);
            if (read == 0)
                throw new DataFormatException(_path, 0, "has become shorter since it was opened; start again.");
            done += read;
        }
    }

    private static IdxFile InPlace(string path, long length, int[] sizes, int start, long count) => length - start == count
        ? new(path, sizes, start, content: null)
        : throw WrongLength(path, $"{length - start:N0}", sizes, count);

    private static DataFormatException WrongLength(string path, string found, int[] sizes, long wanted) =>
        new(path, 0, $"has {found} bytes behind its header; its dimensions {string.Join(" x ", sizes)} need {wanted:N0}. Copy it again.");

    private static byte[] Inflate(BoundedInput content, string path, int[] sizes, long count)
    {
        if (count > LargestInflated)
            throw new DataFormatException(path, 0, $"holds {count:N0} bytes, more than the {LargestInflated:N0} that are inflated into memory; unpack it, it is read in place then.");

        // Grows with what is there: a header alone makes no room.
        byte[] bytes = new byte[Math.Min(count, FirstRoom)];
        int done = 0;
        for (int read; (read = content.Read(bytes.AsSpan(done))) > 0;)
        {
            done += read;
            if (done == bytes.Length && done < count)
                Array.Resize(ref bytes, (int)Math.Min(count, 2L * bytes.Length));
        }

        return done == count && content.ReadByte() < 0
            ? bytes
            : throw WrongLength(path, done < count ? $"{done:N0}" : $"more than {count:N0}", sizes, count);
    }

    private static Stream Content(string path)
    {
        FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.Read);
        Span<byte> magic = stackalloc byte[2];
        bool isGzip = file.ReadAtLeast(magic, magic.Length, throwOnEndOfStream: false) == magic.Length && magic is [0x1F, 0x8B];
        file.Position = 0;
        return isGzip ? new GZipStream(file, CompressionMode.Decompress) : file;
    }

    private static void Read(BoundedInput content, Span<byte> target, string path)
    {
        if (content.ReadAtLeast(target, target.Length, throwOnEndOfStream: false) < target.Length)
            throw new DataFormatException(path, 0, "ends within its header; copy it again.");
    }
}
