using Federated.Compat.Torch;

namespace TorchSharp;

public static partial class torch
{
    public partial class Tensor
    {
        public Tensor abs() => Aten.Abs.Call(this);

        public Tensor abs_() => InPlace(Aten.AbsInPlace);

        public Tensor ceil() => Aten.Ceil.Call(this);

        public Tensor ceil_() => InPlace(Aten.CeilInPlace);

        public Tensor cos() => Aten.Cos.Call(this);

        public Tensor cos_() => InPlace(Aten.CosInPlace);

        public Tensor erf() => Aten.Erf.Call(this);

        public Tensor erf_() => InPlace(Aten.ErfInPlace);

        public Tensor exp() => Aten.Exp.Call(this);

        public Tensor exp_() => InPlace(Aten.ExpInPlace);

        public Tensor expm1() => Aten.Expm1.Call(this);

        public Tensor expm1_() => InPlace(Aten.Expm1InPlace);

        public Tensor floor() => Aten.Floor.Call(this);

        public Tensor floor_() => InPlace(Aten.FloorInPlace);

        public Tensor log() => Aten.Log.Call(this);

        public Tensor log_() => InPlace(Aten.LogInPlace);

        public Tensor log10() => Aten.Log10.Call(this);

        public Tensor log10_() => InPlace(Aten.Log10InPlace);

        public Tensor log1p() => Aten.Log1p.Call(this);

        public Tensor log1p_() => InPlace(Aten.Log1pInPlace);

        public Tensor log2() => Aten.Log2.Call(this);

        public Tensor log2_() => InPlace(Aten.Log2InPlace);

        public Tensor logical_not() => Aten.LogicalNot.Call(this);

        public Tensor logical_not_() => InPlace(Aten.LogicalNotInPlace);

        public Tensor neg() => Aten.Neg.Call(this);

        public Tensor neg_() => InPlace(Aten.NegInPlace);

        public Tensor reciprocal() => Aten.Reciprocal.Call(this);

        public Tensor reciprocal_() => InPlace(Aten.ReciprocalInPlace);

        public Tensor relu() => Aten.Relu.Call(this);

        public Tensor relu_() => InPlace(Aten.ReluInPlace);

        public Tensor rsqrt() => Aten.Rsqrt.Call(this);

        public Tensor rsqrt_() => InPlace(Aten.RsqrtInPlace);

        public Tensor sgn() => Aten.Sgn.Call(this);

        public Tensor sgn_() => InPlace(Aten.SgnInPlace);

        public Tensor sigmoid() => Aten.Sigmoid.Call(this);

        public Tensor sigmoid_() => InPlace(Aten.SigmoidInPlace);

        public Tensor sign() => Aten.Sign.Call(this);

        public Tensor sign_() => InPlace(Aten.SignInPlace);

        public Tensor silu() => Aten.Silu.Call(this);

        public Tensor silu_() => InPlace(Aten.SiluInPlace);

        public Tensor sin() => Aten.Sin.Call(this);

        public Tensor sin_() => InPlace(Aten.SinInPlace);

        public Tensor sqrt() => Aten.Sqrt.Call(this);

        public Tensor sqrt_() => InPlace(Aten.SqrtInPlace);

        public Tensor tanh() => Aten.Tanh.Call(this);

        public Tensor tanh_() => InPlace(Aten.TanhInPlace);

        public Tensor trunc() => Aten.Trunc.Call(this);

        public Tensor trunc_() => InPlace(Aten.TruncInPlace);

        public Tensor isfinite() => Aten.Isfinite.Call(this);

        public Tensor isinf() => Aten.Isinf.Call(this);

        public Tensor isnan() => Aten.Isnan.Call(this);

        public Tensor negative() => Aten.Negative.Call(this);

        public Tensor square() => Aten.Square.Call(this);

        public Tensor gelu() => Aten.Gelu.Call(this);

        public Tensor gelu(Modules.GELU.Approximate approximate) => Aten.Gelu.Call(this, approximate.ToString());

        public Tensor round(long decimals = 0) => Aten.Round.Call(this, decimals);

        public Tensor round_(long decimals = 0)
        {
            Aten.RoundInPlace.Run(this, decimals);
            return this;
        }

        public Tensor softmax(long dim, ScalarType? dtype = null) => Aten.Softmax.Call(this, dim, dtype);

        public Tensor log_softmax(long dim, ScalarType? dtype = null) => Aten.LogSoftmax.Call(this, dim, dtype);

        public Tensor softplus(double beta = 1, double threshold = 20) => Aten.Softplus.Call(this, beta, threshold);

        public Tensor nan_to_num(double nan = 0, double? posinf = null, double? neginf = null) => Aten.NanToNum.Call(this, nan, posinf, neginf);

        public Tensor clamp(Scalar? min = null, Scalar? max = null) => Aten.Clamp.Call(this, min, max);

        public Tensor clamp(Tensor? min = null, Tensor? max = null) => Aten.ClampTensor.Call(this, min, max);

        public Tensor clamp_(Scalar? min = null, Scalar? max = null)
        {
            Aten.ClampInPlace.Run(this, min, max);
            return this;
        }

        public Tensor clamp_(Tensor? min = null, Tensor? max = null)
        {
            Aten.ClampTensorInPlace.Run(this, min, max);
            return this;
        }

        public Tensor clamp_min(Scalar min) => Aten.ClampMin.Call(this, min);

        public Tensor clamp_max(Scalar max) => Aten.ClampMax.Call(this, max);

        public Tensor clamp_min_(Scalar min)
        {
            Aten.ClampMinInPlace.Run(this, min);
            return this;
        }

        public Tensor clamp_max_(Scalar max)
        {
            Aten.ClampMaxInPlace.Run(this, max);
            return this;
        }

        private Tensor InPlace(NativeOperator op)
        {
            op.Run(this);
            return this;
        }
    }
}
