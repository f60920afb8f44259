using TorchSharp;
using static TorchSharp.torch;

namespace Federated.Compat.Torch;

/// <summary>One argument of a native operator: a value and what kind it is. Made by implicit conversion; costs no allocation.</summary>
/// <remarks>
/// A whole number passes for a floating-point argument and for a list of one; <see cref="Default"/> takes the schema's default.
/// </remarks>
public readonly struct NativeArgument
{
    internal readonly object? Owner;   // keeps tensors and lists alive while the native side uses them
    internal readonly long Payload;
    internal readonly NativeTag Tag;
    internal readonly int Length;

    private NativeArgument(NativeTag tag, long payload, object? owner = null, int length = 0) =>
        (Owner, Payload, Tag, Length) = (owner, payload, tag, length);

    /// <summary>An optional argument that is not given.</summary>
    public static NativeArgument None => default;

    /// <summary>The default of the operator's schema.</summary>
    public static NativeArgument Default => new(NativeTag.Default, 0);

    /// <summary>A list of tensors in which null stands for an optional tensor that is not given.</summary>
    public static NativeArgument Tensors(IReadOnlyList<Tensor?> tensors) => new(NativeTag.TensorList, 0, tensors, tensors.Count);

    /// <summary>A list of whole numbers; the span is copied.</summary>
    public static NativeArgument Integers(ReadOnlySpan<long> values) => values.ToArray();

    public static implicit operator NativeArgument(Tensor? value) => value is null ? None : new(NativeTag.Tensor, value.Handle, value);

    public static implicit operator NativeArgument(long value) => new(NativeTag.Int, value);

    public static implicit operator NativeArgument(int value) => new(NativeTag.Int, value);

    public static implicit operator NativeArgument(long? value) => value is long given ? given : None;

    public static implicit operator NativeArgument(double value) => new(NativeTag.Double, BitConverter.DoubleToInt64Bits(value));

    public static implicit operator NativeArgument(double? value) => value is double given ? given : None;

    public static implicit operator NativeArgument(bool value) => new(NativeTag.Bool, value ? 1 : 0);

    public static implicit operator NativeArgument(Scalar? value) => value is null ? None : value.Argument;

    public static implicit operator NativeArgument(ScalarType value) => (long)value;

    public static implicit operator NativeArgument(ScalarType? value) => value is ScalarType given ? (long)given : None;

    public static implicit operator NativeArgument(long[]? value) => value is null ? None : new(NativeTag.IntList, 0, value, value.Length);

    public static implicit operator NativeArgument(double[]? value) => value is null ? None : new(NativeTag.DoubleList, 0, value, value.Length);

    public static implicit operator NativeArgument(bool[]? value) => value is null ? None : new(NativeTag.BoolList, 0, value, value.Length);

    public static implicit operator NativeArgument(Tensor[]? value) => value is null ? None : new(NativeTag.TensorList, 0, value, value.Length);

    public static implicit operator NativeArgument(string? value) => value is null ? None : new(NativeTag.String, 0, value, value.Length);

    public static implicit operator NativeArgument(Device? value) =>
        value is null ? None : new(NativeTag.Device, value.index, length: (int)value.type);

    public static implicit operator NativeArgument(Generator? value) => value is null ? None : new(NativeTag.Generator, value.Handle, value);
}

/// <summary>Kinds of values at the border; mirrored by <c>Tag</c> in bridge.cpp.</summary>
internal enum NativeTag
{
    None, Tensor, Int, Double, Bool, IntList, DoubleList, BoolList, TensorList, String, Device, Generator, Default,
}
