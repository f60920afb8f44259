namespace Federated.Client.ChatTemplates;

/// <summary>Evaluates expressions.</summary>
/// <param name="count">Called for each part; ends what takes too long.</param>
internal sealed class Expressions(Action count)
{
    /// <summary>The value of an expression.</summary>
    internal object? Value(Expression expression, Scope scope)
    {
        count();
        switch (expression)
        {
            case Literal literal:
                return literal.Value;
            case Variable variable:
                return scope.Find(variable.Name);
            case Attribute attribute:
                return AttributeOf(Value(attribute.Of, scope), attribute.Name);
            case Item item:
                return TemplateOperators.Item(Value(item.Of, scope), Value(item.At, scope));
            case Slice slice:
                return TemplateOperators.Slice(Value(slice.Of, scope), Whole(slice.From, scope), Whole(slice.To, scope), Whole(slice.Step, scope) ?? 1);
            case Call call:
                return Called(call, scope);
            case Filtered filtered:
                return TemplateFilters.Apply(filtered.Name, Value(filtered.Value, scope), Given(filtered.Arguments, scope));
            case Tested tested:
                return TemplateTests.Holds(tested.Name, Value(tested.Value, scope), Given(tested.Arguments, scope)) != tested.Negated;
            case Binary binary:
                return Joined(binary, scope);
            case Unary unary:
                return Signed(unary, scope);
            case Comparison comparison:
                return Compared(comparison, scope);
            case Conditional conditional:
                return TemplateValue.IsTrue(Value(conditional.Condition, scope)) ? Value(conditional.Value, scope)
                    : conditional.Otherwise is { } otherwise ? Value(otherwise, scope) : Undefined.Value;
            case ListOf list:
                return list.Items.Select(part => Value(part, scope)).ToList();
            default:
                return MappingOf((MappingOf)expression, scope);
        }
    }

    private static object? AttributeOf(object? of, string name)
    {
        if (of is Undefined or null)
            throw new ChatTemplateException($"{TemplateValue.Kind(of)} has no attribute '{name}'.");
        object? item = of is Mapping or Namespace ? TemplateOperators.Item(of, name) : Undefined.Value;
        return item is not Undefined ? item : (object?)MappingMethods.Find(of, name) ?? Undefined.Value;
    }

    private object? Called(Call call, Scope scope)
    {
        CallArguments given = Given(call.Arguments, scope);
        // A method goes before an item of its name: messages have 'items' only by accident.
        object? callee = call.What is Attribute attribute && Value(attribute.Of, scope) is var of && MappingMethods.Find(of, attribute.Name) is { } method
            ? method
            : Value(call.What, scope);
        return callee is Callable function
            ? function(given.Positional, given.Named)
            : throw new ChatTemplateException($"{(call.What is Variable variable ? $"'{variable.Name}'" : "what is called")} is {TemplateValue.Kind(callee)}, not a function.");
    }

    private object? Joined(Binary binary, Scope scope)
    {
        object? left = Value(binary.Left, scope);
        return binary.Operator switch
        {
            "and" => TemplateValue.IsTrue(left) ? Value(binary.Right, scope) : left,
            "or" => TemplateValue.IsTrue(left) ? left : Value(binary.Right, scope),
            _ => TemplateOperators.Binary(binary.Operator, left, Value(binary.Right, scope)),
        };
    }

    private object? Signed(Unary unary, Scope scope)
    {
        object? value = Value(unary.Value, scope);
        return unary.Operator == "not" ? !TemplateValue.IsTrue(value) : TemplateOperators.Binary(unary.Operator, 0L, value);
    }

    private bool Compared(Comparison comparison, Scope scope)
    {
        object? left = Value(comparison.First, scope);
        foreach ((string sign, Expression next) in comparison.Rest)
        {
            object? right = Value(next, scope);
            if (!TemplateOperators.Compare(sign, left, right))
                return false;
            left = right;
        }

        return true;
    }

    private Mapping MappingOf(MappingOf mapping, Scope scope) => TemplateValue.MappingOf(mapping.Entries.Select(entry => (Key(Value(entry.Key, scope)), Value(entry.Value, scope))));

    private static string Key(object? value) => value as string ?? throw new ChatTemplateException($"a key of a mapping is {TemplateValue.Kind(value)}; only strings are supported.");

    private long? Whole(Expression? expression, Scope scope) => expression is null ? null : Value(expression, scope) switch
    {
        null => null,
        long number => number,
        var other => throw new ChatTemplateException($"a slice has {TemplateValue.Kind(other)} as its end; an integer was expected."),
    };

    private CallArguments Given(Arguments arguments, Scope scope) => new(
        [.. arguments.Positional.Select(argument => Value(argument, scope))],
        arguments.Named.ToDictionary(argument => argument.Name, argument => Value(argument.Value, scope), StringComparer.Ordinal));
}
