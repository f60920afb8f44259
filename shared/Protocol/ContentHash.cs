using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;

namespace Federated.Shared.Protocol;

/// <summary>SHA-256 of a blob: its name on the wire, in the store and in the cache.</summary>
public readonly struct ContentHash : IEquatable<ContentHash>
{
    /// <summary>Size of a hash in bytes.</summary>
    public const int Size = SHA256.HashSizeInBytes;

    private readonly Value _value;

    /// <summary>Takes the hash from its 32 bytes.</summary>
    /// <exception cref="ArgumentException"><paramref name="bytes"/> is not 32 bytes long.</exception>
    public ContentHash(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length != Size)
            throw new ArgumentException($"A SHA-256 has {Size} bytes, got {bytes.Length}.", nameof(bytes));

        bytes.CopyTo(_value);
    }

    /// <summary>The hash of <paramref name="content"/>.</summary>
    public static ContentHash Of(ReadOnlySpan<byte> content)
    {
        Span<byte> hash = stackalloc byte[Size];
        SHA256.HashData(content, hash);
        return new(hash);
    }

    /// <summary>The hash of all that is left in <paramref name="content"/>.</summary>
    public static ContentHash Of(Stream content) => new(SHA256.HashData(content));

    /// <summary>The hash of what <paramref name="hash"/> has seen; it starts afresh.</summary>
    public static ContentHash Finish(IncrementalHash hash)
    {
        ArgumentNullException.ThrowIfNull(hash);
        Span<byte> bytes = stackalloc byte[Size];
        hash.GetHashAndReset(bytes);
        return new(bytes);
    }

    /// <summary>Reads 64 hexadecimal digits.</summary>
    public static bool TryParse(string? text, out ContentHash hash)
    {
        hash = default;
        Span<byte> bytes = stackalloc byte[Size];
        if (text?.Length != 2 * Size || Convert.FromHexString(text, bytes, out _, out int written) != System.Buffers.OperationStatus.Done || written != Size)
            return false;

        hash = new(bytes);
        return true;
    }

    /// <summary>The 32 bytes.</summary>
    public byte[] ToArray() => ((ReadOnlySpan<byte>)_value).ToArray();

    /// <summary>64 lower-case hexadecimal digits.</summary>
    public override string ToString() => Convert.ToHexStringLower(_value);

    /// <inheritdoc/>
    public bool Equals(ContentHash other) => ((ReadOnlySpan<byte>)_value).SequenceEqual(other._value);

    /// <inheritdoc/>
    public override bool Equals([NotNullWhen(true)] object? obj) => obj is ContentHash other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => BitConverter.ToInt32(_value);

    /// <summary>Equality of all 32 bytes.</summary>
    public static bool operator ==(ContentHash left, ContentHash right) => left.Equals(right);

    /// <summary>Inequality.</summary>
    public static bool operator !=(ContentHash left, ContentHash right) => !left.Equals(right);

    [InlineArray(Size)]
    private struct Value
    {
        private byte _first;
    }
}
