using System.Buffers;
using System.Text;

namespace Grpc.Core;

public sealed partial class Metadata
{
    /// <summary>One key with text, or with bytes when the key ends in <c>-bin</c>. Immutable.</summary>
    public class Entry
    {
        private static readonly SearchValues<char> KeyCharacters =
            SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");

        private readonly string? _text;
        private readonly byte[]? _bytes;

        /// <exception cref="ArgumentException">The key has other characters than <c>a-z 0-9 . _ -</c>, or does not end in <c>-bin</c>.</exception>
        public Entry(string key, byte[] valueBytes)
        {
            Key = Normalized(key);
            if (!Key.EndsWith(BinaryHeaderSuffix, StringComparison.Ordinal))
                throw new ArgumentException($"'{Key}' is given bytes, so it must end in '{BinaryHeaderSuffix}'.", nameof(key));
            ArgumentNullException.ThrowIfNull(valueBytes);
            _bytes = valueBytes.AsSpan().ToArray();
        }

        /// <exception cref="ArgumentException">The key has other characters than <c>a-z 0-9 . _ -</c>, or ends in <c>-bin</c>.</exception>
        public Entry(string key, string value)
        {
            Key = Normalized(key);
            if (Key.EndsWith(BinaryHeaderSuffix, StringComparison.Ordinal))
                throw new ArgumentException($"'{Key}' is given text, so it must not end in '{BinaryHeaderSuffix}'.", nameof(key));
            ArgumentNullException.ThrowIfNull(value);
            _text = value;
        }

        /// <summary>Lower case.</summary>
        public string Key { get; }

        public bool IsBinary => _bytes is not null;

        /// <exception cref="InvalidOperationException">The entry is binary.</exception>
        public string Value => _text ?? throw new InvalidOperationException($"'{Key}' holds bytes, not text: read ValueBytes.");

        /// <summary>A copy of the bytes; text as ASCII.</summary>
        public byte[] ValueBytes => _bytes is null ? Encoding.ASCII.GetBytes(_text!) : _bytes.AsSpan().ToArray();

        public override string ToString() =>
            IsBinary ? $"[Entry: key={Key}, valueBytes={_bytes!.Length} bytes]" : $"[Entry: key={Key}, value={_text}]";

        // Keys are ASCII by construction, so ordinal comparison is exact whatever the culture.
        internal bool Has(string key) => Key.Equals(key, StringComparison.OrdinalIgnoreCase);

        private static string Normalized(string key)
        {
            ArgumentNullException.ThrowIfNull(key);
            if (key.AsSpan().ContainsAnyExcept(KeyCharacters))
                throw new ArgumentException($"'{key}' is no metadata key: only a-z, 0-9, '.', '_' and '-' may occur.", nameof(key));
            return key.ToLowerInvariant();
        }
    }
}
