using System.Text;

namespace Federated.Client.ChatTemplates;

/// <summary>One application of a template: what it wrote, and the steps it may still take.</summary>
internal sealed class TemplateRun
{
    private readonly string _source;
    private readonly Expressions _expressions;
    private StringBuilder _text = new();
    private int _steps, _depth, _line = 1;

    internal TemplateRun(string source, IReadOnlyDictionary<string, object?> variables)
    {
        (_source, _expressions) = (source, new(Count));
        Global = new(null);
        foreach ((string name, object? value) in variables)
            Global.Set(name, value);
    }

    /// <summary>Where what the assistant says begins and ends in the text, as <c>{% generation %}</c> marks it.</summary>
    internal List<(int Start, int End)> Spoken { get; } = [];

    private Scope Global { get; }

    /// <summary>The text that the template writes.</summary>
    /// <exception cref="ChatTemplateException">The template asks for what is not there or not supported, raises an error of its own, or takes too long.</exception>
    internal string Render(IReadOnlyList<Node> nodes)
    {
        try
        {
            Run(nodes, Global);
            return _text.ToString();
        }
        catch (ChatTemplateException error) when (!error.Message.StartsWith(_source, StringComparison.Ordinal))
        {
            throw new ChatTemplateException(_source, _line, error.Message) { Refuses = error.Refuses };
        }
    }

    // Whether a break or continue is under way, and which.
    private JumpNode? Run(IReadOnlyList<Node> nodes, Scope scope)
    {
        if (++_depth > TemplateLimits.Depth)
            throw new ChatTemplateException($"blocks and macros are nested deeper than {TemplateLimits.Depth}.");
        JumpNode? jump = null;
        for (int i = 0; i < nodes.Count && jump is null; i++)
        {
            Count();
            _line = nodes[i].Line;
            jump = Run(nodes[i], scope);
        }

        _depth--;
        return jump;
    }

    private JumpNode? Run(Node node, Scope scope)
    {
        switch (node)
        {
            case TextNode text:
                Write(text.Text);
                return null;
            case OutputNode output:
                Write(TemplateValue.Text(_expressions.Value(output.Value, scope)));
                return null;
            case IfNode branches:
                IReadOnlyList<Node>? taken = branches.Branches.FirstOrDefault(branch => branch.Condition is null || TemplateValue.IsTrue(_expressions.Value(branch.Condition, scope))).Body;
                return taken is null ? null : Run(taken, scope);
            case ForNode loop:
                Loop(loop, scope);
                return null;
            case SetNode set:
                Set(set, scope);
                return null;
            case CaptureNode capture:
                scope.Set(capture.Name, Captured(capture.Body, new(scope)));
                return null;
            case MacroNode macro:
                scope.Set(macro.Name, Macro(macro));
                return null;
            case GenerationNode generation:
                int start = _text.Length;
                Run(generation.Body, scope);
                Spoken.Add((start, _text.Length));
                return null;
            case DoNode action:
                _expressions.Value(action.Value, scope);
                return null;
            default:
                return (JumpNode)node;
        }
    }

    private void Loop(ForNode loop, Scope scope)
    {
        IReadOnlyList<object?> items = TemplateOperators.Items(_expressions.Value(loop.Items, scope));
        if (loop.Filter is { } filter)
        {
            items = [.. items.Where(item =>
            {
                Scope inner = new(scope);
                Assign(inner, loop.Names, item);
                return TemplateValue.IsTrue(_expressions.Value(filter, inner));
            })];
        }

        for (int i = 0; i < items.Count; i++)
        {
            Count();
            Scope inner = new(scope);
            Assign(inner, loop.Names, items[i]);
            inner.Set("loop", Position(items, i));
            if (Run(loop.Body, inner) is { Leaves: true })
                break;
        }

        if (items.Count == 0)
            Run(loop.Otherwise, scope);
    }

    private static Mapping Position(IReadOnlyList<object?> items, int i) => TemplateValue.MappingOf(
    [
        ("index", i + 1L), ("index0", (long)i), ("first", i == 0), ("last", i == items.Count - 1), ("length", (long)items.Count),
        ("revindex", (long)items.Count - i), ("revindex0", items.Count - i - 1L),
        ("previtem", i > 0 ? items[i - 1] : Undefined.Value), ("nextitem", i + 1 < items.Count ? items[i + 1] : Undefined.Value),
    ]);

    private void Set(SetNode set, Scope scope)
    {
        object? value = _expressions.Value(set.Value, scope);
        if (set.Attribute is null)
            Assign(scope, set.Names, value);
        else if (scope.Find(set.Names[0]) is Namespace names)
            names.Entries[set.Attribute] = value;
        else
            throw new ChatTemplateException($"'{set.Names[0]}' is no namespace, so its attribute cannot be set.");
    }

    private static void Assign(Scope scope, IReadOnlyList<string> names, object? value)
    {
        if (names.Count == 1)
        {
            scope.Set(names[0], value);
            return;
        }

        IReadOnlyList<object?> parts = TemplateOperators.Items(value);
        if (parts.Count != names.Count)
            throw new ChatTemplateException($"{parts.Count} values for the {names.Count} names {string.Join(", ", names)}.");
        for (int i = 0; i < names.Count; i++)
            scope.Set(names[i], parts[i]);
    }

    private Callable Macro(MacroNode macro) => (positional, named) =>
    {
        Scope inner = new(Global);
        for (int i = 0; i < macro.Parameters.Count; i++)
        {
            (string name, Expression? otherwise) = macro.Parameters[i];
            inner.Set(name, i < positional.Count ? positional[i]
                : named.TryGetValue(name, out object? given) ? given
                : otherwise is null ? Undefined.Value : _expressions.Value(otherwise, inner));
        }

        return Captured(macro.Body, inner);
    };

    private string Captured(IReadOnlyList<Node> body, Scope scope)
    {
        StringBuilder outer = _text;
        _text = new();
        Run(body, scope);
        string text = _text.ToString();
        _text = outer;
        return text;
    }

    private void Write(string text)
    {
        if (_text.Length + text.Length > TemplateLimits.Text)
            throw new ChatTemplateException($"the text grew beyond {TemplateLimits.Text} characters.");
        _text.Append(text);
    }

    private void Count()
    {
        if (++_steps > TemplateLimits.Steps)
            throw new ChatTemplateException($"the template did not end within {TemplateLimits.Steps} steps.");
    }
}

/// <summary>The variables of a block; what a loop or macro sets ends with it.</summary>
internal sealed class Scope(Scope? outer)
{
    private readonly Dictionary<string, object?> _values = new(StringComparer.Ordinal);

    internal void Set(string name, object? value) => _values[name] = value;

    internal object? Find(string name)
    {
        for (Scope? scope = this; scope is not null; scope = scope.Outer)
        {
            if (scope._values.TryGetValue(name, out object? value))
                return value;
        }

        return Undefined.Value;
    }

    private Scope? Outer => outer;
}
