using System.Buffers;
using System.Linq.Expressions;
using System.Reflection;

namespace MessagePack.Formatters;

/// <summary>A [MessagePackObject] type: its members are read and written by two methods that are compiled once from its <see cref="ObjectShape"/>.</summary>
internal sealed class ObjectFormatter<T> : IMessagePackFormatter<T?>
{
    private static readonly ParameterExpression Writer = Expression.Parameter(typeof(MessagePackWriter).MakeByRefType(), "writer");
    private static readonly ParameterExpression Reader = Expression.Parameter(typeof(MessagePackReader).MakeByRefType(), "reader");
    private static readonly ParameterExpression Options = Expression.Parameter(typeof(MessagePackSerializerOptions), "options");

    private readonly ObjectShape _shape;
    private readonly Writing _write;
    private readonly Reading _read;

    public ObjectFormatter(bool keyAsPropertyName)
    {
        _shape = ObjectShape.Of(typeof(T), keyAsPropertyName);
        _write = CompileWriting();
        _read = CompileReading();
    }

    private delegate void Writing(ref MessagePackWriter writer, T value, MessagePackSerializerOptions options);

    private delegate T Reading(ref MessagePackReader reader, MessagePackSerializerOptions options, int count);

    public void Serialize(ref MessagePackWriter writer, T? value, MessagePackSerializerOptions options)
    {
        if (value is null)
        {
            writer.WriteNil();
            return;
        }

        if (_shape.IsArray)
            writer.WriteArrayHeader(_shape.Members.Length == 0 ? 0 : _shape.Members[^1].Index + 1);
        else
            writer.WriteMapHeader(_shape.Members.Length);

        _write(ref writer, value, options);
    }

    public T? Deserialize(ref MessagePackReader reader, MessagePackSerializerOptions options)
    {
        if (reader.TryReadNil())
            return default(T) is null ? default(T) : throw new MessagePackSerializationException($"Nil where a {typeof(T)} is wanted.");

        options.Security.DepthStep(ref reader);
        T value = _read(ref reader, options, _shape.IsArray ? reader.ReadArrayHeader() : reader.ReadMapHeader());
        reader.Depth--;
        return value;
    }

    /// <summary>Reads a map's key; the position of the member with that key, or -1.</summary>
    private int ReadKey(ref MessagePackReader reader)
    {
        ReadOnlySequence<byte> key = reader.ReadStringSequence() ?? throw new MessagePackSerializationException("Nil as the key of a member.");
        for (int i = 0; i < _shape.Members.Length; i++)
        {
            byte[] known = _shape.Members[i].Key;
            if (key.Length != known.Length)
                continue;
            if (key.IsSingleSegment ? key.FirstSpan.SequenceEqual(known) : key.ToArray().AsSpan().SequenceEqual(known))
                return i;
        }

        return -1;
    }

    private static void WriteKey(ref MessagePackWriter writer, byte[] key) => writer.WriteString(key);

    private static IMessagePackFormatter<TMember> FormatterOf<TMember>(MessagePackSerializerOptions options) =>
        options.Resolver.GetFormatterWithVerify<TMember>();

    private static Expression FormatterOf(Type member) =>
        Expression.Call(Method(nameof(FormatterOf), [typeof(MessagePackSerializerOptions)]).MakeGenericMethod(member), Options);

    private static MethodInfo Method(string name, params Type[] parameters) =>
        typeof(ObjectFormatter<T>).GetMethod(name, BindingFlags.NonPublic | BindingFlags.Static | BindingFlags.Instance, parameters)!;

    private Writing CompileWriting()
    {
        ParameterExpression value = Expression.Parameter(typeof(T), "value");
        List<Expression> body = [];
        int next = 0;
        foreach (ObjectMember member in _shape.Members)
        {
            for (; _shape.IsArray && next < member.Index; next++)
                body.Add(Expression.Call(Writer, nameof(MessagePackWriter.WriteNil), null));
            if (!_shape.IsArray)
                body.Add(Expression.Call(Method(nameof(WriteKey), typeof(MessagePackWriter).MakeByRefType(), typeof(byte[])), Writer, Expression.Constant(member.Key)));

            body.Add(member.Readable
                ? Expression.Call(FormatterOf(member.Type), "Serialize", null, Writer, Expression.MakeMemberAccess(value, member.Info), Options)
                : Expression.Call(Writer, nameof(MessagePackWriter.WriteNil), null));
            next++;
        }

        body.Add(Expression.Empty());
        return Expression.Lambda<Writing>(Expression.Block(body), Writer, value, Options).Compile();
    }

    /// <summary>
    /// Reads each known member into a local, skips the others, constructs, then sets what was read and is no parameter:
    /// members that the sender left out keep what the constructor gave them.
    /// </summary>
    private Reading CompileReading()
    {
        ParameterExpression count = Expression.Parameter(typeof(int), "count");
        ParameterExpression index = Expression.Variable(typeof(int), "index");
        ParameterExpression result = Expression.Variable(typeof(T), "result");
        ParameterExpression[] locals = [.. _shape.Members.Select(m => Expression.Variable(m.Type))];
        ParameterExpression[] seen = [.. _shape.Members.Select(_ => Expression.Variable(typeof(bool)))];
        LabelTarget end = Expression.Label();

        SwitchCase[] cases = [.. _shape.Members.Select((member, i) => Expression.SwitchCase(
            Expression.Block(
                Expression.Assign(locals[i], Expression.Call(FormatterOf(member.Type), "Deserialize", null, Reader, Options)),
                Expression.Assign(seen[i], Expression.Constant(true)),
                Expression.Empty()),
            Expression.Constant(_shape.IsArray ? member.Index : i)))];
        Expression skip = Expression.Call(Reader, nameof(MessagePackReader.Skip), null);
        Expression key = _shape.IsArray
            ? index
            : Expression.Call(Expression.Constant(this), Method(nameof(ReadKey), typeof(MessagePackReader).MakeByRefType()), Reader);
        Expression loop = Expression.Loop(
            Expression.IfThenElse(
                Expression.LessThan(index, count),
                Expression.Block(cases.Length == 0 ? skip : Expression.Switch(key, skip, cases), Expression.PreIncrementAssign(index)),
                Expression.Break(end)),
            end);

        Expression[] arguments = [.. _shape.Members.Select((member, i) => (member, local: locals[i])).Where(x => x.member.Parameter >= 0)
            .OrderBy(x => x.member.Parameter).Select(x => x.local)];
        Expression created = _shape.Constructor is null ? Expression.New(typeof(T)) : Expression.New(_shape.Constructor, Convert(arguments));
        IEnumerable<Expression> assignments = _shape.Members.Select((member, i) => (member, i)).Where(x => x.member.Writable && x.member.Parameter < 0)
            .Select(x => Expression.IfThen(seen[x.i], Expression.Assign(Expression.MakeMemberAccess(result, x.member.Info), locals[x.i])));

        return Expression.Lambda<Reading>(
            Expression.Block([index, result, .. locals, .. seen], [loop, Expression.Assign(result, created), .. assignments, result]),
            Reader, Options, count).Compile();
    }

    private IEnumerable<Expression> Convert(Expression[] arguments) =>
        _shape.Constructor!.GetParameters().Select((p, i) => Expression.Convert(arguments[i], p.ParameterType));
}
