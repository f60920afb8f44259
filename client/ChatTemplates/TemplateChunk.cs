namespace Federated.Client.ChatTemplates;

/// <summary>What a stretch of a template is.</summary>
internal enum ChunkKind
{
    /// <summary>Text as it stands.</summary>
    Text,

    /// <summary>What was between <c>{{</c> and <c>}}</c>.</summary>
    Output,

    /// <summary>What was between <c>{%</c> and <c>%}</c>.</summary>
    Statement,
}

/// <summary>A stretch of a template.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Text">Its text, without the marks around it.</param>
/// <param name="Line">Its line, from 1.</param>
internal readonly record struct TemplateChunk(ChunkKind Kind, string Text, int Line);

/// <summary>Cuts a template into text, outputs and statements, and drops the white space that the marks ask to be dropped.</summary>
/// <remarks>
/// As transformers sets up Jinja: the line break after a statement goes (trim_blocks), and so does white space before one that begins a line
/// (lstrip_blocks); one line break at the very end goes; <c>-</c> inside a mark takes all white space on its side, <c>+</c> leaves it.
/// </remarks>
internal sealed class TemplateChunker(string source, string text)
{
    private readonly List<TemplateChunk> _chunks = [];
    private int _at;
    private bool _trimNext, _trimLineBreak;

    internal IReadOnlyList<TemplateChunk> Cut()
    {
        while (_at < text.Length)
        {
            int mark = NextMark(_at);
            AddText(mark < 0 ? text.Length : mark, mark);
            if (mark < 0)
                break;
            AddMarked(mark);
        }

        return _chunks;
    }

    private int NextMark(int from)
    {
        for (int at = text.IndexOf('{', from); at >= 0 && at + 1 < text.Length; at = text.IndexOf('{', at + 1))
        {
            if (text[at + 1] is '{' or '%' or '#')
                return at;
        }

        return -1;
    }

    private void AddText(int end, int mark)
    {
        ReadOnlySpan<char> stretch = text.AsSpan(_at, end - _at);
        int line = LineOf(_at);
        if (_trimNext)
            stretch = stretch.TrimStart();
        else if (_trimLineBreak && stretch.StartsWith("\n"))
            stretch = stretch[1..];
        else if (_trimLineBreak && stretch.StartsWith("\r\n"))
            stretch = stretch[2..];

        if (mark < 0)
            stretch = stretch.EndsWith("\n") ? stretch[..^1] : stretch;
        else if (mark + 2 < text.Length && text[mark + 2] == '-')
            stretch = stretch.TrimEnd();
        else if (text[mark + 1] != '{' && !(mark + 2 < text.Length && text[mark + 2] == '+') && BeginsItsLine(mark))
            stretch = stretch.TrimEnd(" \t");
        if (stretch.Length > 0)
            _chunks.Add(new(ChunkKind.Text, stretch.ToString(), line));
        _at = end;
    }

    private void AddMarked(int mark)
    {
        char kind = text[mark + 1];
        string close = kind switch { '{' => "}}", '%' => "%}", _ => "#}" };
        int line = LineOf(mark), end = kind == '#' ? text.IndexOf(close, mark + 2, StringComparison.Ordinal) : EndOf(mark + 2, close);
        if (end < 0)
            throw new ChatTemplateException(source, line, $"'{text.AsSpan(mark, 2)}' is not closed by '{close}'.");

        int start = mark + 2;
        if (start < end && text[start] is '-' or '+')
            start++;
        bool trims = end > start && text[end - 1] == '-', leaves = end > start && text[end - 1] == '+';
        if (kind != '#')
            _chunks.Add(new(kind == '{' ? ChunkKind.Output : ChunkKind.Statement, text[start..(trims || leaves ? end - 1 : end)].Trim(), line));
        (_trimNext, _trimLineBreak, _at) = (trims, kind != '{' && !leaves, end + 2);
    }

    // The mark may stand inside a string of the expression, and braces that close a mapping are none.
    private int EndOf(int from, string close)
    {
        char quote = '\0';
        int open = 0;
        for (int i = from; i + 1 < text.Length; i++)
        {
            char c = text[i];
            if (quote != '\0')
            {
                if (c == '\\')
                    i++;
                else if (c == quote)
                    quote = '\0';
            }
            else if (c is '\'' or '"')
            {
                quote = c;
            }
            else if (c == '{')
            {
                open++;
            }
            else if (c == '}' && open > 0)
            {
                open--;
            }
            else if (c == close[0] && text[i + 1] == close[1])
            {
                return i;
            }
        }

        return -1;
    }

    private bool BeginsItsLine(int mark)
    {
        int start = mark;
        while (start > 0 && text[start - 1] is ' ' or '\t')
            start--;
        return start == 0 || text[start - 1] == '\n';
    }

    private int LineOf(int at) => 1 + text.AsSpan(0, at).Count('\n');
}
