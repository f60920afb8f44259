using Federated.Compat.Torch;

namespace TorchSharp;

/// <summary>A number of any type. Here a managed value; in the official package a native object.</summary>
public sealed class Scalar : IDisposable
{
    private Scalar(NativeArgument argument, torch.ScalarType type) => (Argument, Type) = (argument, type);

    public torch.ScalarType Type { get; }

    internal NativeArgument Argument { get; }

    internal double Number => Argument.Tag == NativeTag.Double ? BitConverter.Int64BitsToDouble(Argument.Payload) : Argument.Payload;

    internal long Integer => Argument.Tag == NativeTag.Double ? (long)BitConverter.Int64BitsToDouble(Argument.Payload) : Argument.Payload;

    public static implicit operator Scalar(byte value) => value.ToScalar();

    public static implicit operator Scalar(sbyte value) => value.ToScalar();

    public static implicit operator Scalar(short value) => value.ToScalar();

    public static implicit operator Scalar(int value) => value.ToScalar();

    public static implicit operator Scalar(long value) => value.ToScalar();

    public static implicit operator Scalar(Half value) => value.ToScalar();

    public static implicit operator Scalar(float value) => value.ToScalar();

    public static implicit operator Scalar(double value) => value.ToScalar();

    public static implicit operator Scalar(bool value) => value.ToScalar();

    internal static Scalar OfInteger(long value, torch.ScalarType type) => new(value, type);

    internal static Scalar OfNumber(double value, torch.ScalarType type) => new(value, type);

    internal static Scalar OfFlag(bool value) => new(value, torch.ScalarType.Bool);

    public void Dispose()
    {
    }
}

public static class ScalarExtensionMethods
{
    public static Scalar ToScalar(this byte value) => Scalar.OfInteger(value, torch.ScalarType.Byte);

    public static Scalar ToScalar(this sbyte value) => Scalar.OfInteger(value, torch.ScalarType.Int8);

    public static Scalar ToScalar(this short value) => Scalar.OfInteger(value, torch.ScalarType.Int16);

    public static Scalar ToScalar(this int value) => Scalar.OfInteger(value, torch.ScalarType.Int32);

    public static Scalar ToScalar(this long value) => Scalar.OfInteger(value, torch.ScalarType.Int64);

    public static Scalar ToScalar(this Half value) => Scalar.OfNumber((double)value, torch.ScalarType.Float16);

    public static Scalar ToScalar(this float value) => Scalar.OfNumber(value, torch.ScalarType.Float32);

    public static Scalar ToScalar(this double value) => Scalar.OfNumber(value, torch.ScalarType.Float64);

    public static Scalar ToScalar(this bool value) => Scalar.OfFlag(value);

    public static byte ToByte(this Scalar value) => (byte)value.Integer;

    public static sbyte ToSByte(this Scalar value) => (sbyte)value.Integer;

    public static short ToInt16(this Scalar value) => (short)value.Integer;

    public static int ToInt32(this Scalar value) => (int)value.Integer;

    public static long ToInt64(this Scalar value) => value.Integer;

    public static Half ToHalf(this Scalar value) => (Half)value.Number;

    public static float ToSingle(this Scalar value) => (float)value.Number;

    public static double ToDouble(this Scalar value) => value.Number;

    public static bool ToBoolean(this Scalar value) => value.Number != 0;
}
