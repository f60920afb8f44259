// RMS norm, rotary positions, SwiGLU and GELU, each in one pass forward and one backward; formulas and shapes as in the composed
// forms of the product (client/Models/Operators/ComposedKernels.cs), against which they are tested.

#include <ATen/ops/empty_like.h>
#include <ATen/ops/zeros_like.h>

#include "kernels.h"

namespace federated {
namespace {

constexpr int64_t kGrain = 16384;  // elements a thread takes at least

int64_t rows_per_task(int64_t width) { return std::max<int64_t>(1, kGrain / std::max<int64_t>(1, width)); }

// ---- RMS norm: y = x * r * w, r = 1 / sqrt(mean(x^2) + eps) ----

FT_CLONES void rms_forward(const float* x, const float* w, float* y, float* scale, int64_t rows, int64_t width, float eps) {
    for (int64_t i = 0; i < rows; i++, x += width, y += width) {
        float squares = 0;
#pragma omp simd reduction(+ : squares)
        for (int64_t j = 0; j < width; j++) squares += x[j] * x[j];
        const float r = 1.0f / std::sqrt(squares / width + eps);
        scale[i] = r;
        for (int64_t j = 0; j < width; j++) y[j] = x[j] * r * w[j];
    }
}

FT_CLONES void rms_backward(
    const float* x, const float* w, const float* g, const float* scale, float* dx, int64_t rows, int64_t width) {
    for (int64_t i = 0; i < rows; i++, x += width, g += width, dx += width) {
        float dot = 0;
#pragma omp simd reduction(+ : dot)
        for (int64_t j = 0; j < width; j++) dot += g[j] * w[j] * x[j];
        const float r = scale[i], pull = dot * r * r * r / width;
        for (int64_t j = 0; j < width; j++) dx[j] = g[j] * w[j] * r - x[j] * pull;
    }
}

FT_CLONES void rms_weight(const float* x, const float* g, const float* scale, float* dw, int64_t rows, int64_t width) {
    for (int64_t i = 0; i < rows; i++, x += width, g += width) {
        const float r = scale[i];
        for (int64_t j = 0; j < width; j++) dw[j] += g[j] * x[j] * r;
    }
}

struct RmsNorm : torch::autograd::Function<RmsNorm> {
    static Tensor forward(AutogradContext* context, const Tensor& input, const Tensor& weight, double eps) {
        Tensor x = input.contiguous(), w = weight.contiguous(), y = at::empty_like(x);
        const int64_t width = x.size(-1), rows = x.numel() / std::max<int64_t>(1, width);
        Tensor scale = at::empty({rows}, x.options());
        auto [px, pw, py, ps] = std::tuple(x.data_ptr<float>(), w.data_ptr<float>(), y.data_ptr<float>(), scale.data_ptr<float>());
        at::parallel_for(0, rows, rows_per_task(width), [&, px = px, pw = pw, py = py, ps = ps](int64_t begin, int64_t end) {
            rms_forward(px + begin * width, pw, py + begin * width, ps + begin, end - begin, width, static_cast<float>(eps));
        });
        if (context != nullptr) context->save_for_backward({x, w, scale});
        return y;
    }

    static variable_list backward(AutogradContext* context, variable_list grads) {
        refuse_second_derivative("rms_norm");
        auto saved = context->get_saved_variables();
        const Tensor &x = saved[0], &w = saved[1], &scale = saved[2];
        Tensor g = grads[0].contiguous(), dx, dw;
        const int64_t width = x.size(-1), rows = x.numel() / std::max<int64_t>(1, width);
        if (context->needs_input_grad(0)) {
            dx = at::empty_like(x);
            at::parallel_for(0, rows, rows_per_task(width), [&](int64_t begin, int64_t end) {
                rms_backward(
                    x.data_ptr<float>() + begin * width, w.data_ptr<float>(), g.data_ptr<float>() + begin * width, scale.data_ptr<float>() + begin,
                    dx.data_ptr<float>() + begin * width, end - begin, width);
            });
        }
        if (context->needs_input_grad(1)) {
            dw = at::zeros_like(w);
            rms_weight(x.data_ptr<float>(), g.data_ptr<float>(), scale.data_ptr<float>(), dw.data_ptr<float>(), rows, width);
        }
        return {dx, dw, Tensor()};
    }
};

Tensor rms_norm(const Tensor& input, const Tensor& weight, double eps) {
    check_floats(input, "rms_norm", "input");
    check_floats(weight, "rms_norm", "weight");
    TORCH_CHECK(weight.dim() == 1 && input.size(-1) == weight.size(0), "rms_norm: weight of ", weight.sizes(), " for input of ", input.sizes());
    return records(input, weight) ? RmsNorm::apply(input, weight, eps) : RmsNorm::forward(nullptr, input, weight, eps);
}

// ---- rotary positions: pairs (i, i + half) of each head turn by the position's angles, what is behind the pairs stays; `turn` is 1 forward and -1 back ----

FT_CLONES void rotate(
    const float* x, const float* cos, const float* sin, float* y, int64_t rows, int64_t heads, int64_t width, int64_t half, float turn) {
    for (int64_t i = 0; i < rows; i++, cos += half, sin += half) {
        for (int64_t h = 0; h < heads; h++, x += width, y += width) {
            for (int64_t j = 0; j < half; j++) {
                const float a = x[j], b = x[half + j], s = turn * sin[j];
                y[j] = a * cos[j] - b * s;
                y[half + j] = b * cos[j] + a * s;
            }
            for (int64_t j = 2 * half; j < width; j++) y[j] = x[j];
        }
    }
}

Tensor rotated(const Tensor& heads, const Tensor& cos, const Tensor& sin, float turn) {
    Tensor x = heads.contiguous(), y = at::empty_like(x);
    const int64_t rows = x.size(0), count = x.size(1), width = x.size(2), half = cos.size(-1);
    at::parallel_for(0, rows, rows_per_task(count * width), [&](int64_t begin, int64_t end) {
        const int64_t from = begin * count * width;
        rotate(
            x.data_ptr<float>() + from, cos.data_ptr<float>() + begin * half, sin.data_ptr<float>() + begin * half, y.data_ptr<float>() + from,
            end - begin, count, width, half, turn);
    });
    return y;
}

struct Rotary : torch::autograd::Function<Rotary> {
    static Tensor forward(AutogradContext* context, const Tensor& heads, const Tensor& cos, const Tensor& sin) {
        context->save_for_backward({cos, sin});
        return rotated(heads, cos, sin, 1);
    }

    static variable_list backward(AutogradContext* context, variable_list grads) {
        refuse_second_derivative("rotary");
        auto saved = context->get_saved_variables();
        return {rotated(grads[0], saved[0], saved[1], -1), Tensor(), Tensor()};
    }
};

Tensor rotary(const Tensor& heads, const Tensor& cos, const Tensor& sin) {
    check_floats(heads, "rotary", "heads");
    TORCH_CHECK(heads.dim() == 3, "rotary: heads of ", heads.sizes(), "; (n, heads, width) was expected");
    for (const Tensor& table : {cos, sin}) {
        check_floats(table, "rotary", "cos or sin");
        TORCH_CHECK(
            table.is_contiguous() && table.dim() == 3 && table.size(0) == heads.size(0) && table.size(1) == 1 && 2 * table.size(2) <= heads.size(2),
            "rotary: a table of ", table.sizes(), " for heads of ", heads.sizes(), "; (n, 1, pairs) was expected");
    }
    TORCH_CHECK(cos.sizes() == sin.sizes(), "rotary: cos of ", cos.sizes(), " and sin of ", sin.sizes());
    return records(heads) ? Rotary::apply(heads, cos, sin) : rotated(heads, cos, sin, 1);
}

// ---- SwiGLU: y = silu(gate) * up ----

FT_CLONES void swiglu_forward(const float* gate, const float* up, float* y, int64_t count) {
    for (int64_t i = 0; i < count; i++) y[i] = gate[i] / (1.0f + exp_of(-gate[i])) * up[i];
}

FT_CLONES void swiglu_backward(const float* gate, const float* up, const float* g, float* dgate, float* dup, int64_t count) {
    for (int64_t i = 0; i < count; i++) {
        const float s = 1.0f / (1.0f + exp_of(-gate[i])), silu = gate[i] * s;
        dup[i] = g[i] * silu;
        dgate[i] = g[i] * up[i] * (s + silu * (1.0f - s));
    }
}

struct SwiGlu : torch::autograd::Function<SwiGlu> {
    static Tensor forward(AutogradContext* context, const Tensor& gate, const Tensor& up) {
        Tensor a = gate.contiguous(), b = up.contiguous(), y = at::empty_like(a);
        at::parallel_for(0, a.numel(), kGrain, [&](int64_t begin, int64_t end) {
            swiglu_forward(a.data_ptr<float>() + begin, b.data_ptr<float>() + begin, y.data_ptr<float>() + begin, end - begin);
        });
        if (context != nullptr) context->save_for_backward({a, b});
        return y;
    }

    static variable_list backward(AutogradContext* context, variable_list grads) {
        refuse_second_derivative("swiglu");
        auto saved = context->get_saved_variables();
        Tensor g = grads[0].contiguous(), dgate = at::empty_like(saved[0]), dup = at::empty_like(saved[1]);
        at::parallel_for(0, g.numel(), kGrain, [&](int64_t begin, int64_t end) {
            swiglu_backward(
                saved[0].data_ptr<float>() + begin, saved[1].data_ptr<float>() + begin, g.data_ptr<float>() + begin, dgate.data_ptr<float>() + begin,
                dup.data_ptr<float>() + begin, end - begin);
        });
        return {dgate, dup};
    }
};

Tensor swiglu(const Tensor& gate, const Tensor& up) {
    check_floats(gate, "swiglu", "gate");
    check_floats(up, "swiglu", "up");
    TORCH_CHECK(gate.sizes() == up.sizes(), "swiglu: gate of ", gate.sizes(), " and up of ", up.sizes());
    return records(gate, up) ? SwiGlu::apply(gate, up) : SwiGlu::forward(nullptr, gate, up);
}

// ---- GELU: y = x * share(x), the share of a normal variable's mass below x, or a logistic curve near it ----

/// The mass below x, and what its slope adds to that of x * share. Error below 1e-7: Abramowitz and Stegun, formula 7.1.26, at |x| / sqrt(2).
struct NormalShare {
    struct Value {
        float share, x_slope;
    };

    inline __attribute__((always_inline)) Value operator()(float x) const {
        const float a = (x < 0 ? -x : x) * 0.70710678f, e = exp_of(-a * a), t = 1.0f / (1.0f + 0.3275911f * a);
        float p = 1.061405429f;
        p = p * t - 1.453152027f;
        p = p * t + 1.421413741f;
        p = p * t - 0.284496736f;
        p = p * t + 0.254829592f;
        const float tail = 0.5f * p * t * e;
        return {x < 0 ? tail : 1.0f - tail, x * 0.39894228f * e};
    }
};

/// 1 / (1 + exp(-(first x + third x^3))): 0.5 (1 + tanh z) is the logistic function of 2 z.
struct LogisticShare {
    float first, third;

    inline __attribute__((always_inline)) NormalShare::Value operator()(float x) const {
        // Further out the share is 0 or 1 to the last digit, and the cube might be infinite.
        const float c = x < -60.0f ? -60.0f : (x > 60.0f ? 60.0f : x), square = c * c;
        const float s = 1.0f / (1.0f + exp_of(-c * (first + third * square)));
        return {s, c * s * (1.0f - s) * (first + 3.0f * third * square)};
    }
};

template <class Share>
inline __attribute__((always_inline)) void gelu_values(const Share& share, const float* x, float* y, int64_t count) {
    for (int64_t i = 0; i < count; i++) y[i] = x[i] * share(x[i]).share;
}

template <class Share>
inline __attribute__((always_inline)) void gelu_slopes(const Share& share, const float* x, const float* g, float* dx, int64_t count) {
    for (int64_t i = 0; i < count; i++) {
        const auto at = share(x[i]);
        dx[i] = g[i] * (at.share + at.x_slope);
    }
}

// `third` and `first` are the logistic share's; a first of 0 stands for the normal one.
FT_CLONES void gelu_forward(const float* x, float* y, int64_t count, float first, float third) {
    if (first == 0) gelu_values(NormalShare(), x, y, count);
    else gelu_values(LogisticShare{first, third}, x, y, count);
}

FT_CLONES void gelu_backward(const float* x, const float* g, float* dx, int64_t count, float first, float third) {
    if (first == 0) gelu_slopes(NormalShare(), x, g, dx, count);
    else gelu_slopes(LogisticShare{first, third}, x, g, dx, count);
}

struct Gelu : torch::autograd::Function<Gelu> {
    static Tensor forward(AutogradContext* context, const Tensor& input, double first, double third) {
        Tensor x = input.contiguous(), y = at::empty_like(x);
        at::parallel_for(0, x.numel(), kGrain, [&](int64_t begin, int64_t end) {
            gelu_forward(x.data_ptr<float>() + begin, y.data_ptr<float>() + begin, end - begin, static_cast<float>(first), static_cast<float>(third));
        });
        if (context != nullptr) {
            context->save_for_backward({x});
            context->saved_data["first"] = first;
            context->saved_data["third"] = third;
        }
        return y;
    }

    static variable_list backward(AutogradContext* context, variable_list grads) {
        refuse_second_derivative("gelu");
        const Tensor x = context->get_saved_variables()[0];
        const float first = static_cast<float>(context->saved_data["first"].toDouble()), third = static_cast<float>(context->saved_data["third"].toDouble());
        Tensor g = grads[0].contiguous(), dx = at::empty_like(x);
        at::parallel_for(0, g.numel(), kGrain, [&](int64_t begin, int64_t end) {
            gelu_backward(x.data_ptr<float>() + begin, g.data_ptr<float>() + begin, dx.data_ptr<float>() + begin, end - begin, first, third);
        });
        return {dx, Tensor(), Tensor()};
    }
};

Tensor gelu(const Tensor& input, double first, double third) {
    check_floats(input, "gelu", "input");
    return records(input) ? Gelu::apply(input, first, third) : Gelu::forward(nullptr, input, first, third);
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(federated, m) {
    m.def("rms_norm(Tensor input, Tensor weight, float eps) -> Tensor", &rms_norm);
    m.def("rotary(Tensor heads, Tensor cos, Tensor sin) -> Tensor", &rotary);
    m.def("gelu(Tensor input, float first, float third) -> Tensor", &gelu);
    m.def("swiglu(Tensor gate, Tensor up) -> Tensor", &swiglu);
}

}  // namespace federated
