using Federated.Compat.Torch;

namespace TorchSharp;

public static partial class torch
{
    public partial class Tensor
    {
        public Tensor add(Tensor target) => Aten.AddTensor.Call(this, target);

        public Tensor add(Tensor target, Scalar alpha) => Aten.AddTensor.Call(this, target, alpha);

        public Tensor add(Scalar scalar) => Aten.AddScalar.Call(this, scalar);

        public Tensor add(Scalar scalar, Scalar alpha) => Aten.AddScalar.Call(this, scalar, alpha);

        public Tensor add_(Tensor target)
        {
            Aten.AddTensorInPlace.Run(this, target);
            return this;
        }

        public Tensor add_(Tensor target, Scalar alpha)
        {
            Aten.AddTensorInPlace.Run(this, target, alpha);
            return this;
        }

        public Tensor add_(Scalar scalar)
        {
            Aten.AddScalarInPlace.Run(this, scalar);
            return this;
        }

        public Tensor add_(Scalar scalar, Scalar alpha)
        {
            Aten.AddScalarInPlace.Run(this, scalar, alpha);
            return this;
        }

        public Tensor sub(Tensor target) => Aten.SubTensor.Call(this, target);

        public Tensor sub_(Tensor target)
        {
            Aten.SubTensorInPlace.Run(this, target);
            return this;
        }

        public Tensor sub(Scalar target) => Aten.SubScalar.Call(this, target);

        public Tensor sub_(Scalar target)
        {
            Aten.SubScalarInPlace.Run(this, target);
            return this;
        }

        public Tensor mul(Tensor target) => Aten.MulTensor.Call(this, target);

        public Tensor mul_(Tensor target)
        {
            Aten.MulTensorInPlace.Run(this, target);
            return this;
        }

        public Tensor mul(Scalar target) => Aten.MulScalar.Call(this, target);

        public Tensor mul_(Scalar target)
        {
            Aten.MulScalarInPlace.Run(this, target);
            return this;
        }

        public Tensor div(Tensor target, RoundingMode rounding_mode = RoundingMode.None) =>
            rounding_mode == RoundingMode.None ? Aten.DivTensor.Call(this, target) : Aten.DivTensorMode.Call(this, target, rounding_mode.ToString());

        public Tensor div_(Tensor target, RoundingMode rounding_mode = RoundingMode.None)
        {
            Aten.DivTensorInPlaceMode.Run(this, target, rounding_mode == RoundingMode.None ? NativeArgument.None : rounding_mode.ToString());
            return this;
        }

        public Tensor div(Scalar target, RoundingMode rounding_mode = RoundingMode.None) =>
            rounding_mode == RoundingMode.None ? Aten.DivScalar.Call(this, target) : Aten.DivScalarMode.Call(this, target, rounding_mode.ToString());

        public Tensor div_(Scalar target, RoundingMode rounding_mode = RoundingMode.None)
        {
            Aten.DivScalarInPlaceMode.Run(this, target, rounding_mode == RoundingMode.None ? NativeArgument.None : rounding_mode.ToString());
            return this;
        }

        public Tensor pow(Tensor exponent) => Aten.PowTensor.Call(this, exponent);

        public Tensor pow_(Tensor exponent)
        {
            Aten.PowTensorInPlace.Run(this, exponent);
            return this;
        }

        public Tensor pow(Scalar exponent) => Aten.PowScalar.Call(this, exponent);

        public Tensor pow_(Scalar exponent)
        {
            Aten.PowScalarInPlace.Run(this, exponent);
            return this;
        }

        public Tensor remainder(Tensor target) => Aten.RemainderTensor.Call(this, target);

        public Tensor floor_divide(Tensor other) => Aten.FloorDivideTensor.Call(this, other);

        public Tensor remainder(Scalar scalar) => Aten.RemainderScalar.Call(this, scalar);

        public Tensor floor_divide(Scalar other) => Aten.FloorDivideScalar.Call(this, other);

        public Tensor addcmul(Tensor tensor1, Tensor tensor2, Scalar value) => Aten.Addcmul.Call(this, tensor1, tensor2, value);

        public Tensor addcmul_(Tensor tensor1, Tensor tensor2, Scalar value)
        {
            Aten.AddcmulInPlace.Run(this, tensor1, tensor2, value);
            return this;
        }

        public Tensor addcdiv(Tensor tensor1, Tensor tensor2, Scalar value) => Aten.Addcdiv.Call(this, tensor1, tensor2, value);

        public Tensor addcdiv_(Tensor tensor1, Tensor tensor2, Scalar value)
        {
            Aten.AddcdivInPlace.Run(this, tensor1, tensor2, value);
            return this;
        }

        public Tensor lerp(Tensor end, Tensor weight) => Aten.Lerp.Call(this, end, weight);

        public Tensor lerp_(Tensor end, Tensor weight)
        {
            Aten.LerpInPlace.Run(this, end, weight);
            return this;
        }

        public Tensor matmul(Tensor target) => Aten.Matmul.Call(this, target);

        public Tensor mm(Tensor target) => Aten.Mm.Call(this, target);

        public Tensor bmm(Tensor batch2) => Aten.Bmm.Call(this, batch2);

        public Tensor mv(Tensor target) => Aten.Mv.Call(this, target);

        public Tensor dot(Tensor target) => Aten.Dot.Call(this, target);

        public Tensor outer(Tensor vec2) => Aten.Outer.Call(this, vec2);

        public Tensor addmm(Tensor mat1, Tensor mat2, float beta = 1, float alpha = 1) => Aten.Addmm.Call(this, mat1, mat2, beta, alpha);

        public Tensor addmm_(Tensor mat1, Tensor mat2, float beta = 1, float alpha = 1)
        {
            Aten.AddmmInPlace.Run(this, mat1, mat2, beta, alpha);
            return this;
        }

        public Tensor baddbmm(Tensor batch1, Tensor batch2, float beta = 1, float alpha = 1) =>
            Aten.Baddbmm.Call(this, batch1, batch2, beta, alpha);

        public Tensor fill_(Scalar value)
        {
            Aten.Fill.Run(this, value);
            return this;
        }

        /// <summary>Sets every element to 0. Unlike its siblings it returns a new handle on the same tensor, as upstream does.</summary>
        public Tensor zero_() => Aten.Zero.Call(this);
    }

    public enum RoundingMode
    {
        None = 0,
        trunc = 1,
        floor = 2,
    }
}
