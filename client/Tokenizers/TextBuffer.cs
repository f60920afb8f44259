using System.Text;

namespace Federated.Client.Tokenizers;

/// <summary>A growing array of UTF-16 units that a stage writes its output to; reused from text to text.</summary>
/// <param name="source">File of the stage that writes here, for error messages.</param>
public sealed class TextBuffer(string source = "tokenizer")
{
    private char[] _chars = [];
    private int _length;
    private TextBuffer? _scratch;

    /// <summary>What was written. Valid until the next <see cref="Clear"/> or <see cref="Append(ReadOnlySpan{char})"/>.</summary>
    public ReadOnlySpan<char> Text => _chars.AsSpan(0, _length);

    /// <summary>A second buffer, for a stage that works in two steps.</summary>
    public TextBuffer Scratch
    {
        get
        {
            _scratch ??= new(source);
            _scratch.Limit = Limit;
            return _scratch;
        }
    }

    /// <summary>Units that the text may have: a few replacements that each multiply their input would fill any memory.</summary>
    internal long Limit { get; set; } = Array.MaxLength;

    /// <summary>Forgets the text and keeps the memory.</summary>
    public void Clear() => _length = 0;

    /// <summary>Appends a text.</summary>
    /// <exception cref="TokenizerFormatException">The text becomes much longer than what it was made of.</exception>
    public void Append(ReadOnlySpan<char> text)
    {
        if (_chars.Length - _length < text.Length)
            Grow(text.Length);

        text.CopyTo(_chars.AsSpan(_length));
        _length += text.Length;
    }

    /// <summary>Appends a character by its code point. A lone surrogate, which is none, is appended as it is.</summary>
    public void Append(int code)
    {
        if (_chars.Length - _length < 2)
            Grow(2);

        if (code <= char.MaxValue)
            _chars[_length++] = (char)code;
        else
            _length += new Rune(code).EncodeToUtf16(_chars.AsSpan(_length));
    }

    /// <summary>Takes a character off the end as often as it stands there.</summary>
    public void TrimEnd(char character) => _length = Text.TrimEnd(character).Length;

    private void Grow(int more)
    {
        long wanted = (long)_length + more;
        if (wanted > Limit)
            throw new TokenizerFormatException(source, "normalizer", $"it makes more than {Limit} characters of a text; wanted replacements that do not multiply it.");

        Array.Resize(ref _chars, (int)Math.Max(wanted, Math.Min(Math.Max(_chars.Length * 2L, 64), Array.MaxLength)));
    }
}
