namespace Federated.Client.ChatTemplates;

/// <summary>Reads the statements of a template into a tree.</summary>
internal sealed class TemplateParser
{
    private readonly string _source;
    private readonly IReadOnlyList<TemplateChunk> _chunks;
    private int _at, _depth;

    private TemplateParser(string source, string text) => (_source, _chunks) = (source, new TemplateChunker(source, text).Cut());

    /// <exception cref="ChatTemplateException">It is malformed, too large or nested too deep.</exception>
    internal static IReadOnlyList<Node> Parse(string source, string text)
    {
        if (text.Length > TemplateLimits.Template)
            throw new ChatTemplateException($"{source}: a template of {text.Length} characters; at most {TemplateLimits.Template} are read.");
        return new TemplateParser(source, text).Body(null, 1).Nodes;
    }

    // Up to one of the statements that end or divide this block; null: up to the end.
    private (IReadOnlyList<Node> Nodes, string? End, ExpressionParser? Parser) Body(string[]? ends, int line)
    {
        if (++_depth > TemplateLimits.Depth)
            throw new ChatTemplateException(_source, line, $"blocks are nested deeper than {TemplateLimits.Depth}.");
        List<Node> nodes = [];
        while (_at < _chunks.Count)
        {
            TemplateChunk chunk = _chunks[_at++];
            if (chunk.Kind == ChunkKind.Text)
            {
                nodes.Add(new TextNode(chunk.Text, chunk.Line));
                continue;
            }

            ExpressionParser parser = new(_source, chunk);
            if (chunk.Kind == ChunkKind.Output)
            {
                nodes.Add(new OutputNode(Last(parser, parser.Whole()), chunk.Line));
                continue;
            }

            string word = parser.Name();
            if (ends?.Contains(word) == true)
            {
                _depth--;
                return (nodes, word, parser);
            }

            nodes.Add(Statement(word, parser, chunk.Line));
        }

        _depth--;
        return ends is null ? (nodes, null, null) : throw new ChatTemplateException(_source, line, $"this block is not ended by {string.Join(" or ", ends)}.");
    }

    private Node Statement(string word, ExpressionParser parser, int line)
    {
        switch (word)
        {
            case "if":
                return If(parser, line);
            case "for":
                return For(parser, line);
            case "set":
                return Set(parser, line);
            case "macro":
                return Macro(parser, line);
            case "generation":
                parser.ExpectEnd();
                return new GenerationNode(Ended("endgeneration", line), line);
            case "do":
                return new DoNode(Last(parser, parser.Whole()), line);
            case "break" or "continue":
                parser.ExpectEnd();
                return new JumpNode(word == "break", line);
            default:
                throw parser.Fault($"the statement '{word}' is not supported here.");
        }
    }

    private IfNode If(ExpressionParser parser, int line)
    {
        List<(Expression?, IReadOnlyList<Node>)> branches = [];
        Expression? condition = Last(parser, parser.Whole());
        while (true)
        {
            (IReadOnlyList<Node> body, string? end, ExpressionParser? rest) = Body(condition is null ? ["endif"] : ["elif", "else", "endif"], line);
            branches.Add((condition, body));
            if (end == "endif")
                return new(branches, line);
            condition = end == "elif" ? Last(rest!, rest!.Whole()) : null;
        }
    }

    private ForNode For(ExpressionParser parser, int line)
    {
        List<string> names = Names(parser);
        parser.Expect("in");
        Expression items = parser.Or();
        Expression? filter = parser.Takes("if") ? parser.Or() : null;
        parser.ExpectEnd();
        (IReadOnlyList<Node> body, string? end, _) = Body(["else", "endfor"], line);
        return new(names, items, filter, body, end == "else" ? Ended("endfor", line) : [], line);
    }

    private Node Set(ExpressionParser parser, int line)
    {
        List<string> names = Names(parser);
        string? attribute = parser.Takes(".") ? parser.Name() : null;
        if (parser.Takes("="))
            return new SetNode(names, attribute, Last(parser, parser.Whole()), line);
        parser.ExpectEnd();
        return names.Count == 1 && attribute is null
            ? new CaptureNode(names[0], Ended("endset", line), line)
            : throw parser.Fault("'=' was expected.");
    }

    private MacroNode Macro(ExpressionParser parser, int line)
    {
        string name = parser.Name();
        List<(string, Expression?)> parameters = [];
        parser.Expect("(");
        while (!parser.Takes(")"))
        {
            string parameter = parser.Name();
            parameters.Add((parameter, parser.Takes("=") ? parser.Value() : null));
            if (!parser.Takes(","))
            {
                parser.Expect(")");
                break;
            }
        }

        parser.ExpectEnd();
        return new(name, parameters, Ended("endmacro", line), line);
    }

    private IReadOnlyList<Node> Ended(string end, int line) => Body([end], line).Nodes;

    private static List<string> Names(ExpressionParser parser)
    {
        List<string> names = [];
        bool bracketed = parser.Takes("(");
        do
            names.Add(parser.Name());
        while (parser.Takes(","));
        if (bracketed)
            parser.Expect(")");
        return names;
    }

    private static Expression Last(ExpressionParser parser, Expression value)
    {
        parser.ExpectEnd();
        return value;
    }
}
