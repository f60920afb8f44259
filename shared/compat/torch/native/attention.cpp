// Attention over rows of different length packed one after the other, without padding and without a matrix of all scores: every query sees
// the keys of its row up to itself, or the last few of them, or all.
// Source: the tiling of Dao et al., "FlashAttention", NeurIPS 2022, arXiv:2205.14135, for a CPU: a block of queries against the keys
// it may see, by BLAS; only the logarithm of each softmax's denominator is kept, and the backward pass makes the scores again.

#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <vector>

#include "kernels.h"

// The BLAS that libtorch itself stands on; a libtorch that keeps its BLAS to itself leaves this null.
extern "C" __attribute__((weak)) void sgemm_(
    const char* transpose_a, const char* transpose_b, const int* m, const int* n, const int* k, const float* alpha, const float* a, const int* lda,
    const float* b, const int* ldb, const float* beta, float* c, const int* ldc);

namespace federated {
namespace {

constexpr int64_t kBlock = 64;  // queries

/// A strided matrix over memory of ours, for the way without BLAS.
Tensor view(const float* data, int64_t rows, int64_t columns, int64_t stride) {
    return at::from_blob(const_cast<float*>(data), {rows, columns}, {stride, 1}, at::TensorOptions().dtype(at::kFloat));
}

/// Row-major C (m, n) = alpha * op(A) op(B) + beta * C; BLAS is column-major, so operands change places.
void product(
    bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k, float alpha, const float* a, int64_t lda, const float* b, int64_t ldb, float beta,
    float* c, int64_t ldc) {
    if (sgemm_ == nullptr) {
        Tensor left = transpose_a ? view(a, k, m, lda).t() : view(a, m, k, lda), right = transpose_b ? view(b, n, k, ldb).t() : view(b, k, n, ldb);
        Tensor out = view(c, m, n, ldc), result = at::mm(left, right).mul_(alpha);
        if (beta == 0) out.copy_(result);
        else out.mul_(beta).add_(result);
        return;
    }
    const int rows = static_cast<int>(n), columns = static_cast<int>(m), inner = static_cast<int>(k);
    const int strides[] = {static_cast<int>(ldb), static_cast<int>(lda), static_cast<int>(ldc)};
    sgemm_(
        transpose_b ? "T" : "N", transpose_a ? "T" : "N", &rows, &columns, &inner, &alpha, b, &strides[0], a, &strides[1], &beta, c, &strides[2]);
}

/// Which keys of its row a query sees.
struct Pattern {
    bool causal;
    int64_t window;  // of a causal one; 0 for no bound
};

/// Some neighbouring queries of a row, and the keys [from, to) that any of them sees.
struct Block {
    int64_t first, count, from, to;
    Pattern pattern;

    Block(Pattern pattern, int64_t first, int64_t length)
        : first(first), count(std::min(kBlock, length - first)), from(pattern.window > 0 ? std::max<int64_t>(0, first - pattern.window + 1) : 0),
          to(pattern.causal ? first + count : length), pattern(pattern) {}

    int64_t width() const { return to - from; }
    /// The columns [low, high) that query i of the block sees.
    int64_t low(int64_t i) const { return pattern.window > 0 ? std::max<int64_t>(0, first + i - pattern.window + 1) - from : 0; }
    int64_t high(int64_t i) const { return pattern.causal ? first + i + 1 - from : width(); }
};

/// Softmax of each row of a block of scores over what its query sees; the rest becomes 0.
FT_CLONES void softmax_rows(float* scores, const Block& block, float* log_denominators) {
    const int64_t width = block.width();
    for (int64_t i = 0; i < block.count; i++, scores += width) {
        const int64_t low = block.low(i), high = block.high(i);
        float top = -INFINITY, total = 0;
        for (int64_t j = 0; j < low; j++) scores[j] = 0;
#pragma omp simd reduction(max : top)
        for (int64_t j = low; j < high; j++) top = scores[j] > top ? scores[j] : top;
#pragma omp simd reduction(+ : total)
        for (int64_t j = low; j < high; j++) {
            scores[j] = exp_of(scores[j] - top);
            total += scores[j];
        }
        const float share = 1.0f / total;
        for (int64_t j = low; j < high; j++) scores[j] *= share;
        for (int64_t j = high; j < width; j++) scores[j] = 0;
        log_denominators[i] = top + std::log(total);
    }
}

/// The same probabilities again, from what the forward pass kept.
FT_CLONES void probabilities(float* scores, const Block& block, const float* log_denominators) {
    const int64_t width = block.width();
    for (int64_t i = 0; i < block.count; i++, scores += width) {
        const int64_t low = block.low(i), high = block.high(i);
        const float log_denominator = log_denominators[i];
        for (int64_t j = 0; j < low; j++) scores[j] = 0;
        for (int64_t j = low; j < high; j++) scores[j] = exp_of(scores[j] - log_denominator);
        for (int64_t j = high; j < width; j++) scores[j] = 0;
    }
}

/// Gradient through the softmax, in place of d(probabilities): p * (dp - dot), dot = sum over the head's output of dy * y.
FT_CLONES void softmax_backward(
    const float* p, float* dp, int64_t rows, int64_t width, const float* y, const float* dy, int64_t stride, int64_t head_width) {
    for (int64_t i = 0; i < rows; i++, p += width, dp += width, y += stride, dy += stride) {
        float dot = 0;
#pragma omp simd reduction(+ : dot)
        for (int64_t j = 0; j < head_width; j++) dot += y[j] * dy[j];
        for (int64_t j = 0; j < width; j++) dp[j] = p[j] * (dp[j] - dot);
    }
}

struct HeadShape {
    int64_t positions, heads, key_heads, width;
    int64_t group() const { return heads / key_heads; }
    int64_t query_stride() const { return heads * width; }
    int64_t key_stride() const { return key_heads * width; }
};

HeadShape shape_of(const Tensor& query, const Tensor& key) { return {query.size(0), query.size(1), key.size(1), query.size(2)}; }

/// Calls body(row start, row length, key head) for every pair; pairs that share no output run side by side.
template <class Body>
void for_each_row_and_key_head(at::IntArrayRef offsets, int64_t key_heads, Body&& body) {
    const int64_t tasks = (static_cast<int64_t>(offsets.size()) - 1) * key_heads;
    at::parallel_for(0, tasks, 1, [&](int64_t begin, int64_t end) {
        for (int64_t task = begin; task < end; task++) {
            const int64_t row = task / key_heads;
            body(offsets[row], offsets[row + 1] - offsets[row], task % key_heads);
        }
    });
}

float* scratch(int index, int64_t floats) {
    thread_local std::vector<float> buffers[2];
    if (static_cast<int64_t>(buffers[index].size()) < floats) buffers[index].resize(floats);
    return buffers[index].data();
}

void attend(
    const HeadShape& s, Pattern pattern, at::IntArrayRef offsets, float scale, const float* query, const float* key, const float* value, float* out,
    float* log_denominators) {
    for_each_row_and_key_head(offsets, s.key_heads, [&](int64_t start, int64_t length, int64_t key_head) {
        float* scores = scratch(0, kBlock * length);
        for (int64_t head = key_head * s.group(); head < (key_head + 1) * s.group(); head++) {
            for (int64_t first = 0; first < length; first += kBlock) {
                const Block block(pattern, first, length);
                const int64_t seen = block.width(), place = (start + first) * s.query_stride() + head * s.width;
                const int64_t key_place = (start + block.from) * s.key_stride() + key_head * s.width;
                product(false, true, block.count, seen, s.width, scale, query + place, s.query_stride(), key + key_place, s.key_stride(), 0, scores, seen);
                softmax_rows(scores, block, log_denominators + head * s.positions + start + first);
                product(false, false, block.count, s.width, seen, 1, scores, seen, value + key_place, s.key_stride(), 0, out + place, s.query_stride());
            }
        }
    });
}

/// Where gradients go; null for one that nobody wants.
struct AttentionGradients {
    float *query, *key, *value;
};

void attend_backward(
    const HeadShape& s, Pattern pattern, at::IntArrayRef offsets, float scale, const float* query, const float* key, const float* value, const float* out,
    const float* log_denominators, const float* grad, const AttentionGradients& d) {
    for_each_row_and_key_head(offsets, s.key_heads, [&](int64_t start, int64_t length, int64_t key_head) {
        const int64_t stride = s.query_stride(), key_stride = s.key_stride();
        float *p = scratch(0, kBlock * length), *dp = scratch(1, kBlock * length);
        for (int64_t head = key_head * s.group(); head < (key_head + 1) * s.group(); head++) {
            for (int64_t first = 0; first < length; first += kBlock) {
                const Block block(pattern, first, length);
                const int64_t count = block.count, seen = block.width(), place = (start + first) * stride + head * s.width;
                const int64_t key_place = (start + block.from) * key_stride + key_head * s.width;
                const float *k = key + key_place, *v = value + key_place;
                product(false, true, count, seen, s.width, scale, query + place, stride, k, key_stride, 0, p, seen);
                probabilities(p, block, log_denominators + head * s.positions + start + first);
                if (d.value != nullptr) product(true, false, seen, s.width, count, 1, p, seen, grad + place, stride, 1, d.value + key_place, key_stride);
                if (d.query == nullptr && d.key == nullptr) continue;
                product(false, true, count, seen, s.width, 1, grad + place, stride, v, key_stride, 0, dp, seen);
                softmax_backward(p, dp, count, seen, out + place, grad + place, stride, s.width);
                if (d.query != nullptr) product(false, false, count, s.width, seen, scale, dp, seen, k, key_stride, 0, d.query + place, stride);
                if (d.key != nullptr) product(true, false, seen, s.width, count, scale, dp, seen, query + place, stride, 1, d.key + key_place, key_stride);
            }
        }
    });
}

struct PackedAttention : torch::autograd::Function<PackedAttention> {
    static Tensor forward(
        AutogradContext* context, const Tensor& query, const Tensor& key, const Tensor& value, at::IntArrayRef offsets, double scale, bool causal,
        int64_t window) {
        Tensor q = query.contiguous(), k = key.contiguous(), v = value.contiguous();
        const HeadShape s = shape_of(q, k);
        Tensor out = at::empty({s.positions, s.heads * s.width}, q.options()), log_denominators = at::empty({s.heads, s.positions}, q.options());
        attend(
            s, {causal, window}, offsets, static_cast<float>(scale), q.data_ptr<float>(), k.data_ptr<float>(), v.data_ptr<float>(), out.data_ptr<float>(),
            log_denominators.data_ptr<float>());
        if (context != nullptr) {
            context->save_for_backward({q, k, v, out, log_denominators});
            context->saved_data["offsets"] = offsets.vec();
            context->saved_data["scale"] = scale;
            context->saved_data["causal"] = causal;
            context->saved_data["window"] = window;
        }
        return out;
    }

    static variable_list backward(AutogradContext* context, variable_list grads) {
        refuse_second_derivative("packed_attention");
        auto saved = context->get_saved_variables();
        const Tensor &q = saved[0], &k = saved[1], &v = saved[2];
        Tensor g = grads[0].contiguous(), dq, dk, dv;
        if (context->needs_input_grad(0)) dq = at::empty_like(q);
        if (context->needs_input_grad(1)) dk = at::zeros_like(k);
        if (context->needs_input_grad(2)) dv = at::zeros_like(v);
        auto memory = [](const Tensor& tensor) { return tensor.defined() ? tensor.data_ptr<float>() : nullptr; };
        auto& kept = context->saved_data;
        attend_backward(
            shape_of(q, k), {kept["causal"].toBool(), kept["window"].toInt()}, kept["offsets"].toIntVector(), static_cast<float>(kept["scale"].toDouble()),
            q.data_ptr<float>(), k.data_ptr<float>(), v.data_ptr<float>(), saved[3].data_ptr<float>(), saved[4].data_ptr<float>(), g.data_ptr<float>(),
            {memory(dq), memory(dk), memory(dv)});
        return {dq, dk, dv, Tensor(), Tensor(), Tensor(), Tensor()};
    }
};

Tensor packed_attention(const Tensor& query, const Tensor& key, const Tensor& value, at::IntArrayRef offsets, double scale, bool causal, int64_t window) {
    for (const Tensor& tensor : {query, key, value}) {
        check_floats(tensor, "packed_attention", "query, key or value");
        TORCH_CHECK(
            tensor.dim() == 3 && tensor.size(0) == query.size(0) && tensor.size(2) == query.size(2), "packed_attention: query ", query.sizes(), ", key ",
            key.sizes(), ", value ", value.sizes(), "; (n, heads, width) each, of one n and width, was expected");
    }
    TORCH_CHECK(
        key.sizes() == value.sizes() && key.size(1) > 0 && query.size(1) % key.size(1) == 0, "packed_attention: ", query.size(1), " query heads over ",
        key.size(1), " key and ", value.size(1), " value heads");
    TORCH_CHECK(
        offsets.size() >= 2 && offsets.front() == 0 && offsets.back() == query.size(0) && std::is_sorted(offsets.begin(), offsets.end()),
        "packed_attention: offsets must rise from 0 to ", query.size(0));
    TORCH_CHECK(window >= 0 && (causal || window == 0), "packed_attention: a window of ", window, "; 0 for none was expected, or causal attention and at least 1");
    return records(query, key, value) ? PackedAttention::apply(query, key, value, offsets, scale, causal, window)
                                      : PackedAttention::forward(nullptr, query, key, value, offsets, scale, causal, window);
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(federated, m) {
    m.def("packed_attention(Tensor query, Tensor key, Tensor value, int[] offsets, float scale, bool causal, int window) -> Tensor", &packed_attention);
}

}  // namespace federated
