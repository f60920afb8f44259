using Federated.Compat.Torch;

namespace TorchSharp;

public static partial class torch
{
    public partial class Tensor
    {
        public Tensor eq(Tensor target) => Aten.EqTensor.Call(this, target);

        public Tensor eq(Scalar target) => Aten.EqScalar.Call(this, target);

        public Tensor eq_(Tensor target)
        {
            Aten.EqTensorInPlace.Run(this, target);
            return this;
        }

        public Tensor eq_(Scalar target)
        {
            Aten.EqScalarInPlace.Run(this, target);
            return this;
        }

        public Tensor ne(Tensor target) => Aten.NeTensor.Call(this, target);

        public Tensor ne(Scalar target) => Aten.NeScalar.Call(this, target);

        public Tensor ne_(Tensor target)
        {
            Aten.NeTensorInPlace.Run(this, target);
            return this;
        }

        public Tensor ne_(Scalar target)
        {
            Aten.NeScalarInPlace.Run(this, target);
            return this;
        }

        public Tensor lt(Tensor target) => Aten.LtTensor.Call(this, target);

        public Tensor lt(Scalar target) => Aten.LtScalar.Call(this, target);

        public Tensor lt_(Tensor target)
        {
            Aten.LtTensorInPlace.Run(this, target);
            return this;
        }

        public Tensor lt_(Scalar target)
        {
            Aten.LtScalarInPlace.Run(this, target);
            return this;
        }

        public Tensor le(Tensor target) => Aten.LeTensor.Call(this, target);

        public Tensor le(Scalar target) => Aten.LeScalar.Call(this, target);

        public Tensor le_(Tensor target)
        {
            Aten.LeTensorInPlace.Run(this, target);
            return this;
        }

        public Tensor le_(Scalar target)
        {
            Aten.LeScalarInPlace.Run(this, target);
            return this;
        }

        public Tensor gt(Tensor target) => Aten.GtTensor.Call(this, target);

        public Tensor gt(Scalar target) => Aten.GtScalar.Call(this, target);

        public Tensor gt_(Tensor target)
        {
            Aten.GtTensorInPlace.Run(this, target);
            return this;
        }

        public Tensor gt_(Scalar target)
        {
            Aten.GtScalarInPlace.Run(this, target);
            return this;
        }

        public Tensor ge(Tensor target) => Aten.GeTensor.Call(this, target);

        public Tensor ge(Scalar target) => Aten.GeScalar.Call(this, target);

        public Tensor ge_(Tensor target)
        {
            Aten.GeTensorInPlace.Run(this, target);
            return this;
        }

        public Tensor ge_(Scalar target)
        {
            Aten.GeScalarInPlace.Run(this, target);
            return this;
        }

        public Tensor logical_and(Tensor other) => Aten.LogicalAnd.Call(this, other);

        public Tensor logical_or(Tensor other) => Aten.LogicalOr.Call(this, other);

        public Tensor logical_xor(Tensor other) => Aten.LogicalXor.Call(this, other);

        public Tensor maximum(Tensor other) => Aten.Maximum.Call(this, other);

        public Tensor minimum(Tensor other) => Aten.Minimum.Call(this, other);

        public Tensor bitwise_and(Tensor other) => Aten.BitwiseAnd.Call(this, other);

        public Tensor bitwise_or(Tensor other) => Aten.BitwiseOr.Call(this, other);

        public Tensor equal(Tensor target) => eq(target);

        public bool allclose(Tensor target, double rtol = 1e-05, double atol = 1e-08, bool equal_nan = false) =>
            Aten.Allclose.CallNumber(this, target, rtol, atol, equal_nan) != 0;
    }
}
