namespace Federated.Client.ChatTemplates;

/// <summary>A part of a template that writes or does something.</summary>
/// <param name="Line">Its line, from 1.</param>
internal abstract record Node(int Line);

/// <summary>Text as it stands.</summary>
internal sealed record TextNode(string Text, int Line) : Node(Line);

/// <summary><c>{{ value }}</c>.</summary>
internal sealed record OutputNode(Expression Value, int Line) : Node(Line);

/// <summary><c>{% if %}</c> with its branches; a branch without a condition is <c>else</c>.</summary>
internal sealed record IfNode(IReadOnlyList<(Expression? Condition, IReadOnlyList<Node> Body)> Branches, int Line) : Node(Line);

/// <summary><c>{% for names in items if filter %}</c>.</summary>
internal sealed record ForNode(IReadOnlyList<string> Names, Expression Items, Expression? Filter, IReadOnlyList<Node> Body, IReadOnlyList<Node> Otherwise, int Line) : Node(Line);

/// <summary><c>{% set a.b = value %}</c>; several names take a list apart.</summary>
internal sealed record SetNode(IReadOnlyList<string> Names, string? Attribute, Expression Value, int Line) : Node(Line);

/// <summary><c>{% set name %}...{% endset %}</c>.</summary>
internal sealed record CaptureNode(string Name, IReadOnlyList<Node> Body, int Line) : Node(Line);

/// <summary><c>{% macro name(parameters) %}</c>.</summary>
internal sealed record MacroNode(string Name, IReadOnlyList<(string Name, Expression? Otherwise)> Parameters, IReadOnlyList<Node> Body, int Line) : Node(Line);

/// <summary><c>{% generation %}</c>: what the assistant says.</summary>
internal sealed record GenerationNode(IReadOnlyList<Node> Body, int Line) : Node(Line);

/// <summary><c>{% break %}</c> or <c>{% continue %}</c>.</summary>
internal sealed record JumpNode(bool Leaves, int Line) : Node(Line);

/// <summary><c>{% do value %}</c>: evaluated for what it does.</summary>
internal sealed record DoNode(Expression Value, int Line) : Node(Line);

/// <summary>A part of an expression.</summary>
internal abstract record Expression;

/// <summary>A value that stands there.</summary>
internal sealed record Literal(object? Value) : Expression;

/// <summary>A variable.</summary>
internal sealed record Variable(string Name) : Expression;

/// <summary><c>of.name</c>.</summary>
internal sealed record Attribute(Expression Of, string Name) : Expression;

/// <summary><c>of[at]</c>.</summary>
internal sealed record Item(Expression Of, Expression At) : Expression;

/// <summary><c>of[from:to:step]</c>.</summary>
internal sealed record Slice(Expression Of, Expression? From, Expression? To, Expression? Step) : Expression;

/// <summary><c>what(arguments)</c>.</summary>
internal sealed record Call(Expression What, Arguments Arguments) : Expression;

/// <summary><c>value | name(arguments)</c>.</summary>
internal sealed record Filtered(Expression Value, string Name, Arguments Arguments) : Expression;

/// <summary><c>value is name(arguments)</c>.</summary>
internal sealed record Tested(Expression Value, string Name, Arguments Arguments, bool Negated) : Expression;

/// <summary>Two values and an operator between them.</summary>
internal sealed record Binary(string Operator, Expression Left, Expression Right) : Expression;

/// <summary><c>not</c>, or a sign.</summary>
internal sealed record Unary(string Operator, Expression Value) : Expression;

/// <summary><c>a &lt; b &lt;= c</c>: each neighbour pair must hold.</summary>
internal sealed record Comparison(Expression First, IReadOnlyList<(string Operator, Expression Value)> Rest) : Expression;

/// <summary><c>value if condition else otherwise</c>.</summary>
internal sealed record Conditional(Expression Condition, Expression Value, Expression? Otherwise) : Expression;

/// <summary><c>[a, b]</c> or <c>(a, b)</c>.</summary>
internal sealed record ListOf(IReadOnlyList<Expression> Items) : Expression;

/// <summary><c>{'a': b}</c>.</summary>
internal sealed record MappingOf(IReadOnlyList<(Expression Key, Expression Value)> Entries) : Expression;

/// <summary>What a call, filter or test is given.</summary>
internal sealed record Arguments(IReadOnlyList<Expression> Positional, IReadOnlyList<(string Name, Expression Value)> Named)
{
    internal static Arguments None { get; } = new([], []);
}
