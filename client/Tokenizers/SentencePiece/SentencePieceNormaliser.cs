using Federated.Client.Tokenizers.Characters;
using Federated.Client.Tokenizers.Normalisers;
using Federated.Client.Tokenizers.PreTokenisers;

namespace Federated.Client.Tokenizers.SentencePiece;

/// <summary>Normalises as SentencePiece does: replacements by the longest entry of the table, spaces trimmed and made visible, one put in front.</summary>
internal sealed class SentencePieceNormaliser
{
    private readonly NormaliserSpec _spec;
    private readonly bool _suffix;
    private readonly PieceTrie? _userDefined;
    private readonly CharsMap? _map;

    /// <param name="spec">What is wanted.</param>
    /// <param name="suffix">The space goes behind instead of in front.</param>
    /// <param name="userDefined">Pieces that are left as they are.</param>
    /// <param name="name">File, for error messages.</param>
    public SentencePieceNormaliser(NormaliserSpec spec, bool suffix, PieceTrie? userDefined, string name)
    {
        (_spec, _suffix, _userDefined) = (spec, suffix, userDefined);
        if (spec.CharsMap.Length > 0)
            _map = new(spec.CharsMap.Span, name, "precompiled_charsmap");
    }

    private char Space => _spec.EscapeWhitespaces ? MetaspacePreTokeniser.SpaceMark : ' ';

    public ReadOnlySpan<char> Normalise(ReadOnlySpan<char> text, TextBuffer buffer)
    {
        buffer.Clear();
        int consumed;
        while (_spec.RemoveExtraWhitespaces && !text.IsEmpty && Prefix(text, out consumed) is " ")
            text = text[consumed..];

        if (text.IsEmpty)
            return buffer.Text;

        if (_spec.AddDummyPrefix && !_suffix)
            buffer.Append(Space);

        bool afterSpace = _spec.RemoveExtraWhitespaces;
        for (; !text.IsEmpty; text = text[consumed..])
        {
            ReadOnlySpan<char> part = Prefix(text, out consumed);
            if (afterSpace)
                part = part.TrimStart(' ');

            if (part.IsEmpty)
                continue;

            foreach (char unit in part)
                buffer.Append(unit == ' ' ? Space : unit);

            afterSpace = _spec.RemoveExtraWhitespaces && part[^1] == ' ';
        }

        if (_spec.RemoveExtraWhitespaces)
            buffer.TrimEnd(Space);

        if (_spec.AddDummyPrefix && _suffix)
            buffer.Append(Space);

        return buffer.Text;
    }

    /// <summary>What the beginning of a text becomes, and how much of the text that is.</summary>
    private ReadOnlySpan<char> Prefix(ReadOnlySpan<char> text, out int consumed)
    {
        if (_userDefined is not null && _userDefined.Longest(PieceTrie.Root, text, out consumed) != PieceTrie.None)
            return text[..consumed];

        if (_map is not null && _map.Longest(text, out consumed) is { } replacement)
            return replacement;

        CodePoints.At(text, 0, out consumed);
        return text[..consumed];
    }
}
