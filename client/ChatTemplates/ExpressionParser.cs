namespace Federated.Client.ChatTemplates;

/// <summary>Reads the expression language of Jinja templates.</summary>
/// <remarks>From the weakest operator to the strongest, as Jinja: conditional, or, and, not, comparison, + −, ~, * / // %, signs, **, filters and tests.</remarks>
internal sealed class ExpressionParser
{
    private static readonly string[] Comparisons = ["==", "!=", "<", "<=", ">", ">="];
    private readonly string _source;
    private readonly int _line;
    private readonly List<Piece> _pieces;
    private int _at, _depth;

    internal ExpressionParser(string source, TemplateChunk chunk) => (_source, _line, _pieces) = (source, chunk.Line, ExpressionLexer.Cut(source, chunk));

    private Piece Next => _pieces[_at];

    /// <summary>Whether all was read.</summary>
    internal bool IsAtEnd => Next.Kind == PieceKind.End;

    /// <summary>Takes a word or sign if it comes next.</summary>
    internal bool Takes(string text)
    {
        if (Next.Kind is not (PieceKind.Name or PieceKind.Sign) || Next.Text != text)
            return false;
        _at++;
        return true;
    }

    internal void Expect(string text)
    {
        if (!Takes(text))
            throw Fault($"'{text}' was expected, got '{Next.Text}'.");
    }

    internal void ExpectEnd()
    {
        if (!IsAtEnd)
            throw Fault($"'{Next.Text}' was not expected here.");
    }

    internal string Name()
    {
        if (Next.Kind != PieceKind.Name)
            throw Fault($"a name was expected, got '{Next.Text}'.");
        return _pieces[_at++].Text;
    }

    internal ChatTemplateException Fault(string fault) => new(_source, _line, fault);

    /// <summary>An expression; several with commas between are a list.</summary>
    internal Expression Whole()
    {
        Expression first = Value();
        if (!Takes(","))
            return first;
        List<Expression> items = [first];
        while (!IsAtEnd && !(Next.Kind == PieceKind.Sign && Next.Text == ")"))
        {
            items.Add(Value());
            if (!Takes(","))
                break;
        }

        return new ListOf(items);
    }

    /// <summary>An expression with a condition behind it, perhaps.</summary>
    internal Expression Value()
    {
        if (++_depth > TemplateLimits.Depth)
            throw Fault($"brackets are nested deeper than {TemplateLimits.Depth}.");
        Expression value = Or();
        while (Takes("if"))
        {
            Expression condition = Or();
            value = new Conditional(condition, value, Takes("else") ? Value() : null);
        }

        _depth--;
        return value;
    }

    /// <summary>An expression without a condition behind it, as before the <c>if</c> of a loop.</summary>
    internal Expression Or()
    {
        Expression left = And();
        while (Takes("or"))
            left = new Binary("or", left, And());
        return left;
    }

    private Expression And()
    {
        Expression left = Not();
        while (Takes("and"))
            left = new Binary("and", left, Not());
        return left;
    }

    private Expression Not()
    {
        if (!Takes("not"))
            return Compared();
        if (++_depth > TemplateLimits.Depth)
            throw Fault($"'not' is nested deeper than {TemplateLimits.Depth}.");
        Expression value = new Unary("not", Not());
        _depth--;
        return value;
    }

    private Expression Compared()
    {
        Expression first = Sum();
        List<(string, Expression)> rest = [];
        while (Comparator() is { } comparator)
            rest.Add((comparator, Sum()));
        return rest.Count == 0 ? first : new Comparison(first, rest);
    }

    private string? Comparator()
    {
        if (Next.Kind == PieceKind.Sign && Comparisons.Contains(Next.Text))
            return _pieces[_at++].Text;
        if (Takes("in"))
            return "in";
        if (Next is not { Kind: PieceKind.Name, Text: "not" } || _pieces[_at + 1] is not { Kind: PieceKind.Name, Text: "in" })
            return null;
        _at += 2;
        return "not in";
    }

    private Expression Sum()
    {
        Expression left = Joined();
        while (Next.Kind == PieceKind.Sign && Next.Text is "+" or "-")
            left = new Binary(_pieces[_at++].Text, left, Joined());
        return left;
    }

    private Expression Joined()
    {
        Expression left = Product();
        while (Takes("~"))
            left = new Binary("~", left, Product());
        return left;
    }

    private Expression Product()
    {
        Expression left = Signed();
        while (Next.Kind == PieceKind.Sign && Next.Text is "*" or "/" or "//" or "%")
            left = new Binary(_pieces[_at++].Text, left, Signed());
        return left;
    }

    private Expression Signed()
    {
        if (Next.Kind == PieceKind.Sign && Next.Text is "-" or "+")
        {
            if (++_depth > TemplateLimits.Depth)
                throw Fault($"signs are nested deeper than {TemplateLimits.Depth}.");
            Expression value = new Unary(_pieces[_at++].Text, Signed());
            _depth--;
            return value;
        }

        Expression power = Behind(Primary());
        return Takes("**") ? new Binary("**", power, Signed()) : power;
    }

    /// <summary>Attributes, items, calls, filters and tests behind a value.</summary>
    private Expression Behind(Expression value)
    {
        while (true)
        {
            if (Takes("."))
                value = Next.Kind == PieceKind.Number ? new Item(value, new Literal(_pieces[_at++].Value)) : new Attribute(value, Name());
            else if (Takes("["))
                value = Bracketed(value);
            else if (Takes("("))
                value = new Call(value, Arguments());
            else if (Takes("|"))
                value = new Filtered(value, Name(), Takes("(") ? Arguments() : ChatTemplates.Arguments.None);
            else if (Takes("is"))
                value = Test(value);
            else
                return value;
        }
    }

    private Tested Test(Expression value)
    {
        bool negated = Takes("not");
        string name = Name();
        if (Takes("("))
            return new(value, name, Arguments(), negated);
        // A test may have one argument without brackets: x is divisibleby 3.
        bool bare = Next.Kind is PieceKind.Text or PieceKind.Number || (Next.Kind == PieceKind.Sign && Next.Text is "[" or "{")
            || (Next.Kind == PieceKind.Name && Next.Text is not ("and" or "or" or "not" or "if" or "else" or "is" or "in"));
        return new(value, name, bare ? new([Behind(Primary())], []) : ChatTemplates.Arguments.None, negated);
    }

    private Expression Bracketed(Expression of)
    {
        Expression? from = IsSign(":") ? null : Value();
        if (Takes("]"))
            return new Item(of, from!);
        Expect(":");
        Expression? to = IsSign(":") || IsSign("]") ? null : Value(), step = null;
        if (Takes(":") && !IsSign("]"))
            step = Value();
        Expect("]");
        return new Slice(of, from, to, step);
    }

    private bool IsSign(string sign) => Next.Kind == PieceKind.Sign && Next.Text == sign;

    private Arguments Arguments()
    {
        List<Expression> positional = [];
        List<(string, Expression)> named = [];
        while (!Takes(")"))
        {
            if (Next.Kind == PieceKind.Name && _pieces[_at + 1] is { Kind: PieceKind.Sign, Text: "=" })
            {
                string name = Name();
                Expect("=");
                named.Add((name, Value()));
            }
            else
            {
                positional.Add(Value());
            }

            if (!IsSign(")"))
                Expect(",");
        }

        return new(positional, named);
    }

    private Expression Primary()
    {
        Piece piece = _pieces[_at++];
        switch (piece.Kind)
        {
            case PieceKind.Number:
                return new Literal(piece.Value);
            case PieceKind.Text:
                // Texts side by side are one, as in Python.
                string text = piece.Text;
                while (Next.Kind == PieceKind.Text)
                    text += _pieces[_at++].Text;
                return new Literal(text);
            case PieceKind.Name:
                return Named(piece.Text);
            case PieceKind.Sign when piece.Text == "(":
                Expression inner = IsSign(")") ? new ListOf([]) : Whole();
                Expect(")");
                return inner;
            case PieceKind.Sign when piece.Text == "[":
                return List();
            case PieceKind.Sign when piece.Text == "{":
                return Mapping();
            default:
                throw Fault($"a value was expected, got '{piece.Text}'.");
        }
    }

    private static Expression Named(string name) => name switch
    {
        "true" or "True" => new Literal(true),
        "false" or "False" => new Literal(false),
        "none" or "None" => new Literal(null),
        _ => new Variable(name),
    };

    private ListOf List()
    {
        List<Expression> items = [];
        while (!Takes("]"))
        {
            items.Add(Value());
            if (!IsSign("]"))
                Expect(",");
        }

        return new(items);
    }

    private MappingOf Mapping()
    {
        List<(Expression, Expression)> entries = [];
        while (!Takes("}"))
        {
            Expression key = Value();
            Expect(":");
            entries.Add((key, Value()));
            if (!IsSign("}"))
                Expect(",");
        }

        return new(entries);
    }
}
