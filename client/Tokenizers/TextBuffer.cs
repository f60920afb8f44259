namespace Federated.Client.Tokenizers;

/// <summary>A growing array of UTF-16 units that a stage writes its output to; reused from text to text.</summary>
public sealed class TextBuffer
{
    private char[] _chars = [];
    private int _length;

    /// <summary>What was written. Valid until the next <see cref="Clear"/> or <see cref="Append"/>.</summary>
    public ReadOnlySpan<char> Text => _chars.AsSpan(0, _length);

    /// <summary>Forgets the text and keeps the memory.</summary>
    public void Clear() => _length = 0;

    /// <summary>Appends a text.</summary>
    public void Append(ReadOnlySpan<char> text)
    {
        if (_chars.Length - _length < text.Length)
            Array.Resize(ref _chars, Math.Max(checked(_length + text.Length), Math.Min(_chars.Length * 2, Array.MaxLength)));

        text.CopyTo(_chars.AsSpan(_length));
        _length += text.Length;
    }
}
