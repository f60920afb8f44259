using Federated.Compat.Torch;

namespace TorchSharp;

public static partial class torch
{
    public static partial class nn
    {
        public enum Reduction : long
        {
            None = 0,
            Mean = 1,
            Sum = 2,
        }

        public static partial class functional
        {
            public static Tensor linear(Tensor input, Tensor weights, Tensor? bias = null) => Aten.Linear.Call(input, weights, bias);

            public static Tensor gelu(Tensor x) => x.gelu();

            public static Tensor gelu(Tensor x, bool inplace) => inplace ? Aten.GeluInPlace.Call(x) : x.gelu();

            public static Tensor gelu(Tensor x, Modules.GELU.Approximate approximate, bool inplace = false) =>
                (inplace ? Aten.GeluInPlace : Aten.Gelu).Call(x, approximate.ToString());

            public static Tensor relu(Tensor x, bool inplace = false) => inplace ? x.relu_().alias() : x.relu();

            public static Tensor silu(Tensor x, bool inplace = false) => inplace ? x.silu_().alias() : x.silu();

            public static Tensor sigmoid(Tensor x) => x.sigmoid();

            public static Tensor tanh(Tensor x, bool inplace = false) => inplace ? x.tanh_().alias() : x.tanh();

            public static Tensor softplus(Tensor x, double beta = 1, double threshold = 20) => x.softplus(beta, threshold);

            public static Tensor leaky_relu(Tensor input, double negative_slope = 0.01, bool inplace = false)
            {
                if (!inplace) return Aten.LeakyRelu.Call(input, negative_slope);
                return input.copy_(Aten.LeakyRelu.Call(input, negative_slope)).alias();
            }

            public static Tensor softmax(Tensor input, long dim, ScalarType? dtype = null) => input.softmax(dim, dtype);

            public static Tensor log_softmax(Tensor x, long dim) => x.log_softmax(dim);

            public static Tensor logsigmoid(Tensor x) => Aten.LogSigmoid.Call(x);

            public static Tensor dropout(Tensor input, double p = 0.5, bool training = true, bool inplace = false) =>
                (inplace ? Aten.DropoutInPlace : Aten.Dropout).Call(input, p, training);

            public static Tensor layer_norm(Tensor input, long[] normalized_shape, Tensor? weight = null, Tensor? bias = null, double eps = 1e-05) =>
                Aten.LayerNorm.Call(input, normalized_shape, weight, bias, eps);

            public static Tensor normalize(Tensor input, double p = 2, long dim = 1, double eps = 1e-12)
            {
                using DisposeScope scope = NewDisposeScope();
                Tensor length = Aten.NormDims.Call(input, p, new[] { dim }, true).clamp_min(eps);
                return scope.MoveToOuter(input / length);
            }

            public static Tensor cross_entropy(
                Tensor input, Tensor target, Tensor? weight = null, long ignore_index = -100, Reduction reduction = Reduction.Mean,
                double label_smoothing = 0) =>
                Aten.CrossEntropy.Call(input, target, weight, (long)reduction, ignore_index, label_smoothing);

            public static Tensor nll_loss(Tensor input, Tensor target, Tensor? weight = null, Reduction reduction = Reduction.Mean) =>
                Aten.NllLoss.Call(input, target, weight, (long)reduction);

            public static Tensor mse_loss(Tensor input, Tensor target, Reduction reduction = Reduction.Mean) =>
                Aten.MseLoss.Call(input, target, (long)reduction);

            public static Tensor l1_loss(Tensor input, Tensor target, Reduction reduction = Reduction.Mean) =>
                Aten.L1Loss.Call(input, target, (long)reduction);

            public static Tensor kl_div(Tensor input, Tensor target, bool log_target = true, Reduction reduction = Reduction.Mean) =>
                Aten.KlDiv.Call(input, target, (long)reduction, log_target);

            public static Tensor binary_cross_entropy_with_logits(
                Tensor input, Tensor target, Tensor? weight = null, Reduction reduction = Reduction.Mean, Tensor? pos_weights = null) =>
                Aten.BinaryCrossEntropyWithLogits.Call(input, target, weight, pos_weights, (long)reduction);

            public static Tensor cosine_similarity(Tensor x1, Tensor x2, long dim = 1, double eps = 1e-08) =>
                Aten.CosineSimilarity.Call(x1, x2, dim, eps);

            public static Tensor one_hot(Tensor x, long num_classes = -1) => Aten.OneHot.Call(x, num_classes);

            /// <summary>softmax(q kᵀ / √d + mask) v; a boolean mask is true where attention is allowed.</summary>
            public static Tensor scaled_dot_product_attention(
                Tensor query, Tensor key, Tensor value, Tensor? attn_mask = null, double p = 0, bool is_casual = false)
            {
                if (p < 0 || p > 1) throw new ArgumentException($"The dropout probability must be between 0 and 1, got {p}.");
                if (is_casual && attn_mask is not null) throw new ArgumentException("Give either a mask or is_casual, not both.");
                using DisposeScope scope = NewDisposeScope();
                Tensor scores = query.matmul(key.transpose(-2, -1)) * (1 / Math.Sqrt(query.size(-1)));
                if (is_casual) attn_mask = ones([query.size(-2), key.size(-2)], ScalarType.Bool).tril();
                if (attn_mask is not null)
                    scores = attn_mask.dtype == ScalarType.Bool
                        ? scores.masked_fill(attn_mask.logical_not(), double.NegativeInfinity)
                        : scores + attn_mask;
                Tensor attention = scores.softmax(-1);
                if (p > 0) attention = dropout(attention, p);
                return scope.MoveToOuter(attention.matmul(value));
            }
        }

        public static class utils
        {
            public static double clip_grad_norm_(IEnumerable<Modules.Parameter> tensors, double max_norm, double norm_type = 2)
            {
                using DisposeScope scope = NewDisposeScope();
                using IDisposable silent = no_grad();
                Tensor[] gradients = Gradients(tensors);
                if (gradients.Length == 0) return 0;
                Tensor norms = stack(Aten.ForeachNorm.CallList(gradients, norm_type));
                double total = Aten.Norm.Call(norms, norm_type).ToDouble();
                double scale = max_norm / (total + 1e-6);
                if (scale < 1) Aten.ForeachMul.Run(gradients, scale);
                return total;
            }

            public static void clip_grad_value_(IEnumerable<Modules.Parameter> tensors, double clip_value)
            {
                using DisposeScope scope = NewDisposeScope();
                using IDisposable silent = no_grad();
                foreach (Tensor gradient in Gradients(tensors)) gradient.clamp_((Scalar)(-clip_value), (Scalar)clip_value);
            }

            public static Tensor parameters_to_vector(IEnumerable<Modules.Parameter> tensors)
            {
                using DisposeScope scope = NewDisposeScope();
                return scope.MoveToOuter(cat([.. tensors.Select(t => t.view(-1))]));
            }

            public static void vector_to_parameters(Tensor vec, IEnumerable<Modules.Parameter> tensors)
            {
                using DisposeScope scope = NewDisposeScope();
                using IDisposable silent = no_grad();
                long offset = 0;
                foreach (Modules.Parameter parameter in tensors)
                {
                    parameter.copy_(vec.narrow(0, offset, parameter.numel()).view_as(parameter));
                    offset += parameter.numel();
                }
            }

            private static Tensor[] Gradients(IEnumerable<Modules.Parameter> tensors) => [.. tensors.Select(t => t.grad!).Where(g => g is not null)];
        }
    }
}
