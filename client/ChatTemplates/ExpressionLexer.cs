using System.Globalization;
using System.Text;

namespace Federated.Client.ChatTemplates;

/// <summary>What a piece of an expression is.</summary>
internal enum PieceKind
{
    /// <summary>A name or a word such as <c>and</c>.</summary>
    Name,

    /// <summary>A text between quotes.</summary>
    Text,

    /// <summary>A number.</summary>
    Number,

    /// <summary>An operator or a bracket.</summary>
    Sign,

    /// <summary>Behind the last piece.</summary>
    End,
}

/// <summary>A piece of an expression.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Text">A name, an operator, or a text without its quotes.</param>
/// <param name="Value">A number's value.</param>
internal readonly record struct Piece(PieceKind Kind, string Text, object? Value = null);

/// <summary>Cuts an expression or statement into pieces.</summary>
internal static class ExpressionLexer
{
    private static readonly string[] Signs = ["==", "!=", "<=", ">=", "//", "**", "(", ")", "[", "]", "{", "}", ",", ".", ":", "|", "~", "+", "-", "*", "/", "%", "<", ">", "="];

    internal static List<Piece> Cut(string source, TemplateChunk chunk)
    {
        List<Piece> pieces = [];
        string text = chunk.Text;
        for (int at = 0; at < text.Length;)
        {
            if (char.IsWhiteSpace(text[at]))
                at++;
            else if (char.IsLetter(text[at]) || text[at] == '_')
                pieces.Add(Name(text, ref at));
            else if (char.IsAsciiDigit(text[at]))
                pieces.Add(Number(source, chunk, ref at));
            else if (text[at] is '\'' or '"')
                pieces.Add(Quoted(source, chunk, ref at));
            else if (Signs.FirstOrDefault(sign => text.AsSpan(at).StartsWith(sign, StringComparison.Ordinal)) is { } found)
                at += Add(pieces, found);
            else
                throw new ChatTemplateException(source, chunk.Line, $"'{text[at]}' is no part of an expression.");
        }

        pieces.Add(new(PieceKind.End, "the end"));
        return pieces;
    }

    private static int Add(List<Piece> pieces, string sign)
    {
        pieces.Add(new(PieceKind.Sign, sign));
        return sign.Length;
    }

    private static Piece Name(string text, ref int at)
    {
        int start = at;
        while (at < text.Length && (char.IsLetterOrDigit(text[at]) || text[at] == '_'))
            at++;
        return new(PieceKind.Name, text[start..at]);
    }

    private static Piece Number(string source, TemplateChunk chunk, ref int at)
    {
        int start = at;
        string text = chunk.Text;
        while (at < text.Length && (char.IsAsciiDigit(text[at]) || (text[at] == '.' && at + 1 < text.Length && char.IsAsciiDigit(text[at + 1]))))
            at++;
        string digits = text[start..at];
        if (long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out long whole))
            return new(PieceKind.Number, digits, whole);
        return double.TryParse(digits, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double number)
            ? new(PieceKind.Number, digits, number)
            : throw new ChatTemplateException(source, chunk.Line, $"'{digits}' is no number.");
    }

    private static Piece Quoted(string source, TemplateChunk chunk, ref int at)
    {
        char quote = chunk.Text[at++];
        StringBuilder value = new();
        for (; at < chunk.Text.Length; at++)
        {
            char c = chunk.Text[at];
            if (c == quote)
            {
                at++;
                return new(PieceKind.Text, value.ToString());
            }

            if (c == '\\' && at + 1 < chunk.Text.Length)
                value.Append(Escaped(chunk.Text, ref at));
            else
                value.Append(c);
        }

        throw new ChatTemplateException(source, chunk.Line, "a text between quotes has no end.");
    }

    private static string Escaped(string text, ref int at)
    {
        at++;
        switch (text[at])
        {
            case 'n': return "\n";
            case 't': return "\t";
            case 'r': return "\r";
            case '\\' or '\'' or '"': return text[at].ToString();
            case 'u' when at + 4 < text.Length && ushort.TryParse(text.AsSpan(at + 1, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ushort code):
                at += 4;
                return ((char)code).ToString();
            default: return "\\" + text[at];
        }
    }
}
