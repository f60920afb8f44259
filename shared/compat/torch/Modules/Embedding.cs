using System.Runtime.InteropServices;
using Federated.Compat.Torch;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace TorchSharp
{
    namespace Modules
    {
        /// <summary>Rows of a table by number: (…) of Int64 to (…, dims).</summary>
        public sealed class Embedding : nn.Module<Tensor, Tensor>
        {
            [ComponentName(Name = "weight")] private Parameter _weight = null!;
            private readonly long _paddingIndex;
            private readonly (double Norm, double Type)? _bound;
            private readonly bool _scaleByFrequency;
            private readonly bool _sparse;

            internal Embedding(Parameter weight, long? padding, double? maxNorm, double normType, bool scaleByFrequency, bool sparse)
                : base(nameof(Embedding))
            {
                _paddingIndex = padding is long row ? Row(row, weight.shape[0]) : -1;
                _bound = maxNorm is double norm ? (norm, normType) : null;
                (_scaleByFrequency, _sparse) = (scaleByFrequency, sparse);
                this.weight = weight;
            }

            public Parameter weight
            {
                get => _weight;
                set
                {
                    if (ReferenceEquals(value, _weight)) return;
                    _weight?.Dispose();
                    _weight = (Parameter)value.DetachFromDisposeScope();
                    ConditionallyRegisterParameter("weight", _weight);
                }
            }

            /// <summary>The row that a padding index names; negative ones count from the end.</summary>
            internal static long Row(long index, long rows) => index >= -rows && index < rows
                ? (index + rows) % rows
                : throw new ExternalException($"Padding_idx must be within num_embeddings, got {index} for a table of {rows} rows.");

            public override Tensor forward(Tensor input)
            {
                if (_bound is (double norm, double type))
                    using (no_grad()) Aten.EmbeddingRenorm.Run(_weight, input, norm, type);
                return Aten.Embedding.Call(_weight, input, _paddingIndex, _scaleByFrequency, _sparse);
            }
        }
    }

    public static partial class torch
    {
        public static partial class nn
        {
            public static Modules.Embedding Embedding(
                long num_embeddings, long embedding_dims, long? padding_idx = null, double? max_norm = null, double norm_type = 2,
                bool scale_grad_by_freq = false, bool sparse = false, Device? device = null, ScalarType? dtype = null)
            {
                Modules.Parameter weight = init.normal_(empty([num_embeddings, embedding_dims], dtype, device)).AsParameter();
                if (padding_idx is long row)
                {
                    using IDisposable silent = no_grad();
                    using Tensor padding = weight.select(0, Modules.Embedding.Row(row, num_embeddings));
                    padding.fill_(0);
                }

                return new(weight, padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse);
            }

            public static Modules.Embedding Embedding_from_pretrained(
                Tensor embeddings, bool freeze = true, long? padding_idx = null, double? max_norm = null, double norm_type = 2,
                bool scale_grad_by_freq = false, bool sparse = false, Device? device = null, ScalarType? dtype = null)
            {
                Tensor rows = embeddings.to(dtype ?? embeddings.dtype, device ?? embeddings.device).detach();
                return new(new Modules.Parameter(rows, !freeze), padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse);
            }
        }
    }
}
