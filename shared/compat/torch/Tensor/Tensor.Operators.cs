using Federated.Compat.Torch;

namespace TorchSharp;

public static partial class torch
{
    public partial class Tensor
    {
        public static Tensor operator +(Tensor left, Tensor right) => Aten.AddTensor.Call(left, right);

        public static Tensor operator +(Tensor left, Scalar right) => Aten.AddScalar.Call(left, right);

        public static Tensor operator +(Tensor left, int right) => Aten.AddScalar.Call(left, right);

        public static Tensor operator +(Tensor left, long right) => Aten.AddScalar.Call(left, right);

        public static Tensor operator +(Tensor left, float right) => Aten.AddScalar.Call(left, right);

        public static Tensor operator +(Tensor left, double right) => Aten.AddScalar.Call(left, right);

        public static Tensor operator +(Scalar left, Tensor right) => Aten.AddScalar.Call(right, left);

        public static Tensor operator +(int left, Tensor right) => Aten.AddScalar.Call(right, left);

        public static Tensor operator +(long left, Tensor right) => Aten.AddScalar.Call(right, left);

        public static Tensor operator +(float left, Tensor right) => Aten.AddScalar.Call(right, left);

        public static Tensor operator +(double left, Tensor right) => Aten.AddScalar.Call(right, left);

        public static Tensor operator -(Tensor left, Tensor right) => Aten.SubTensor.Call(left, right);

        public static Tensor operator -(Tensor left, Scalar right) => Aten.SubScalar.Call(left, right);

        public static Tensor operator -(Tensor left, int right) => Aten.SubScalar.Call(left, right);

        public static Tensor operator -(Tensor left, long right) => Aten.SubScalar.Call(left, right);

        public static Tensor operator -(Tensor left, float right) => Aten.SubScalar.Call(left, right);

        public static Tensor operator -(Tensor left, double right) => Aten.SubScalar.Call(left, right);

        public static Tensor operator -(Scalar left, Tensor right) => Aten.RsubScalar.Call(right, left);

        public static Tensor operator -(int left, Tensor right) => Aten.RsubScalar.Call(right, left);

        public static Tensor operator -(long left, Tensor right) => Aten.RsubScalar.Call(right, left);

        public static Tensor operator -(float left, Tensor right) => Aten.RsubScalar.Call(right, left);

        public static Tensor operator -(double left, Tensor right) => Aten.RsubScalar.Call(right, left);

        public static Tensor operator *(Tensor left, Tensor right) => Aten.MulTensor.Call(left, right);

        public static Tensor operator *(Tensor left, Scalar right) => Aten.MulScalar.Call(left, right);

        public static Tensor operator *(Tensor left, int right) => Aten.MulScalar.Call(left, right);

        public static Tensor operator *(Tensor left, long right) => Aten.MulScalar.Call(left, right);

        public static Tensor operator *(Tensor left, float right) => Aten.MulScalar.Call(left, right);

        public static Tensor operator *(Tensor left, double right) => Aten.MulScalar.Call(left, right);

        public static Tensor operator *(Scalar left, Tensor right) => Aten.MulScalar.Call(right, left);

        public static Tensor operator *(int left, Tensor right) => Aten.MulScalar.Call(right, left);

        public static Tensor operator *(long left, Tensor right) => Aten.MulScalar.Call(right, left);

        public static Tensor operator *(float left, Tensor right) => Aten.MulScalar.Call(right, left);

        public static Tensor operator *(double left, Tensor right) => Aten.MulScalar.Call(right, left);

        public static Tensor operator /(Tensor left, Tensor right) => Aten.DivTensor.Call(left, right);

        public static Tensor operator /(Tensor left, Scalar right) => Aten.DivScalar.Call(left, right);

        public static Tensor operator /(Tensor left, int right) => Aten.DivScalar.Call(left, right);

        public static Tensor operator /(Tensor left, long right) => Aten.DivScalar.Call(left, right);

        public static Tensor operator /(Tensor left, float right) => Aten.DivScalar.Call(left, right);

        public static Tensor operator /(Tensor left, double right) => Aten.DivScalar.Call(left, right);

        public static Tensor operator /(Scalar left, Tensor right) => Inverse(left, right);

        public static Tensor operator /(int left, Tensor right) => Inverse(left, right);

        public static Tensor operator /(long left, Tensor right) => Inverse(left, right);

        public static Tensor operator /(float left, Tensor right) => Inverse(left, right);

        public static Tensor operator /(double left, Tensor right) => Inverse(left, right);

        public static Tensor operator %(Tensor left, Tensor right) => Aten.RemainderTensor.Call(left, right);

        public static Tensor operator %(Tensor left, Scalar right) => Aten.RemainderScalar.Call(left, right);

        public static Tensor operator %(Tensor left, int right) => Aten.RemainderScalar.Call(left, right);

        public static Tensor operator %(Tensor left, long right) => Aten.RemainderScalar.Call(left, right);

        public static Tensor operator %(Tensor left, float right) => Aten.RemainderScalar.Call(left, right);

        public static Tensor operator %(Tensor left, double right) => Aten.RemainderScalar.Call(left, right);

        public static Tensor operator -(Tensor tensor) => Aten.Neg.Call(tensor);

        public static Tensor operator ~(Tensor left) => Aten.BitwiseNot.Call(left);

        public static Tensor operator &(Tensor left, Tensor right) => Aten.BitwiseAnd.Call(left, right);

        public static Tensor operator |(Tensor left, Tensor right) => Aten.BitwiseOr.Call(left, right);

        public static Tensor operator ^(Tensor left, Tensor right) => Aten.BitwiseXor.Call(left, right);

        public static Tensor operator ==(Tensor left, Tensor right) => left.eq(right);

        public static Tensor operator ==(Tensor left, Scalar right) => left.eq(right);

        public static Tensor operator ==(Scalar left, Tensor right) => right.eq(left);

        public static Tensor operator !=(Tensor left, Tensor right) => left.ne(right);

        public static Tensor operator !=(Tensor left, Scalar right) => left.ne(right);

        public static Tensor operator !=(Scalar left, Tensor right) => right.ne(left);

        public static Tensor operator <(Tensor left, Tensor right) => left.lt(right);

        public static Tensor operator <(Tensor left, Scalar right) => left.lt(right);

        public static Tensor operator <(Scalar left, Tensor right) => right.gt(left);

        public static Tensor operator <=(Tensor left, Tensor right) => left.le(right);

        public static Tensor operator <=(Tensor left, Scalar right) => left.le(right);

        public static Tensor operator <=(Scalar left, Tensor right) => right.ge(left);

        public static Tensor operator >(Tensor left, Tensor right) => left.gt(right);

        public static Tensor operator >(Tensor left, Scalar right) => left.gt(right);

        public static Tensor operator >(Scalar left, Tensor right) => right.lt(left);

        public static Tensor operator >=(Tensor left, Tensor right) => left.ge(right);

        public static Tensor operator >=(Tensor left, Scalar right) => left.ge(right);

        public static Tensor operator >=(Scalar left, Tensor right) => right.le(left);

        public static explicit operator float(Tensor value) => value.ToSingle();

        public static explicit operator double(Tensor value) => value.ToDouble();

        public static explicit operator sbyte(Tensor value) => value.ToSByte();

        public static explicit operator byte(Tensor value) => value.ToByte();

        public static explicit operator short(Tensor value) => value.ToInt16();

        public static explicit operator int(Tensor value) => value.ToInt32();

        public static explicit operator long(Tensor value) => value.ToInt64();

        public static explicit operator bool(Tensor value) => value.ToBoolean();

        public static implicit operator Tensor(byte value) => tensor(value);

        public static implicit operator Tensor(sbyte value) => tensor(value);

        public static implicit operator Tensor(short value) => tensor(value);

        public static implicit operator Tensor(int value) => tensor(value);

        public static implicit operator Tensor(long value) => tensor(value);

        public static implicit operator Tensor(float value) => tensor(value);

        public static implicit operator Tensor(double value) => tensor(value);

        public static implicit operator Tensor(bool value) => tensor(value);

        public static implicit operator Tensor(Scalar scalar) => full([], scalar, dtype: scalar.Type);

        private static Tensor Inverse(NativeArgument left, Tensor right)
        {
            using Tensor reciprocal = Aten.Reciprocal.Call(right);
            return Aten.MulScalar.Call(reciprocal, left);
        }
    }
}
