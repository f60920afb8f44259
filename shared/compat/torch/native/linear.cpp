// Linear layers with something around them: a LoRA adapter, or the cross-entropy over a vocabulary.

#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/zeros_like.h>

#include "kernels.h"

namespace federated {
namespace {

// ---- y = x W^T + b + s (x A^T) B^T. Every addition happens inside a product; only x and x A^T are kept. ----

struct LoraLinear : torch::autograd::Function<LoraLinear> {
    // The bias comes after all other tensors: autograd does not count a missing one, and the numbers of those behind it would shift.
    static Tensor forward(
        AutogradContext* context, const Tensor& x, const Tensor& weight, const Tensor& a, const Tensor& b, const c10::optional<Tensor>& bias, double scale) {
        Tensor low = at::mm(x, a.t());
        Tensor y = at::linear(x, weight, bias);
        y.addmm_(low, b.t(), 1, scale);
        if (context != nullptr) {
            context->save_for_backward({x, weight, a, b, low});
            context->saved_data["scale"] = scale;
            context->saved_data["bias"] = bias.has_value() && bias->defined();
        }
        return y;
    }

    static variable_list backward(AutogradContext* context, variable_list grads) {
        refuse_second_derivative("lora_linear");
        auto saved = context->get_saved_variables();
        const Tensor &x = saved[0], &weight = saved[1], &a = saved[2], &b = saved[3], &low = saved[4];
        const double scale = context->saved_data["scale"].toDouble();
        const bool below = context->needs_input_grad(0), factor = context->needs_input_grad(2);
        Tensor g = grads[0].contiguous(), dlow, dx, dw, da, db, dbias;
        if (below || factor) dlow = at::mm(g, b).mul_(scale);
        if (below) dx = at::mm(g, weight).addmm_(dlow, a);
        if (context->needs_input_grad(1)) dw = at::mm(g.t(), x);
        if (factor) da = at::mm(dlow.t(), x);
        if (context->needs_input_grad(3)) db = at::mm(g.t(), low).mul_(scale);
        if (context->saved_data["bias"].toBool() && context->needs_input_grad(4)) dbias = g.sum(0);
        return {dx, dw, da, db, dbias, Tensor()};
    }
};

Tensor lora_linear(const Tensor& x, const Tensor& weight, const c10::optional<Tensor>& bias, const Tensor& a, const Tensor& b, double scale) {
    TORCH_CHECK(
        x.dim() == 2 && weight.dim() == 2 && a.dim() == 2 && b.dim() == 2 && x.size(1) == weight.size(1) && a.size(1) == weight.size(1) &&
            b.size(0) == weight.size(0) && a.size(0) == b.size(1),
        "lora_linear: x ", x.sizes(), ", W ", weight.sizes(), ", A ", a.sizes(), ", B ", b.sizes(), "; (n, in), (out, in), (r, in), (out, r) were expected");
    return records(x, weight, bias.value_or(Tensor()), a, b) ? LoraLinear::apply(x, weight, a, b, bias, scale)
                                                              : LoraLinear::forward(nullptr, x, weight, a, b, bias, scale);
}

// ---- sum over positions of -log softmax(h W^T + b)[target]. The logits exist only for a slice of positions at a time; the gradient
// of the loss is linear in what comes from above (one number), so it is made on the way and scaled later. ----

constexpr int64_t kSlice = 128;  // positions: the slice's logits stay in the second-level cache for a small vocabulary

FT_CLONES double softmax_loss(float* logits, const float* bias, int64_t width, int64_t target, bool gradient) {
    float top = -INFINITY;
    if (bias != nullptr) {
        for (int64_t j = 0; j < width; j++) logits[j] += bias[j];
    }
#pragma omp simd reduction(max : top)
    for (int64_t j = 0; j < width; j++) top = logits[j] > top ? logits[j] : top;
    const float wanted = logits[target];
    float total = 0;
    if (!gradient) {
#pragma omp simd reduction(+ : total)
        for (int64_t j = 0; j < width; j++) total += exp_of(logits[j] - top);
        return std::log(static_cast<double>(total)) + top - wanted;
    }
#pragma omp simd reduction(+ : total)
    for (int64_t j = 0; j < width; j++) {
        logits[j] = exp_of(logits[j] - top);
        total += logits[j];
    }
    const float share = 1.0f / total;
    for (int64_t j = 0; j < width; j++) logits[j] *= share;
    logits[target] -= 1.0f;
    return std::log(static_cast<double>(total)) + top - wanted;
}

struct LossGradients {
    Tensor hidden, weight, bias;
};

Tensor cross_entropy(
    const Tensor& h, const Tensor& weight, const Tensor& bias, const Tensor& targets, LossGradients* gradients) {
    const int64_t rows = h.size(0), width = weight.size(0);
    const bool wants = gradients != nullptr;
    Tensor buffer = at::empty({std::min(kSlice, rows), width}, h.options()), losses = at::zeros({rows}, h.options().dtype(at::kDouble));
    const int64_t* target = targets.data_ptr<int64_t>();
    const float* offset = bias.defined() ? bias.data_ptr<float>() : nullptr;
    for (int64_t start = 0; start < rows; start += kSlice) {
        const int64_t count = std::min(kSlice, rows - start);
        Tensor logits = buffer.narrow(0, 0, count), slice = h.narrow(0, start, count);
        at::mm_out(logits, slice, weight.t());
        at::parallel_for(0, count, 1, [&](int64_t begin, int64_t end) {
            for (int64_t i = begin; i < end; i++) {
                float* row = logits.data_ptr<float>() + i * width;
                const int64_t wanted = target[start + i];
                if (wanted < 0) {
                    std::memset(row, 0, width * sizeof(float));
                    continue;
                }
                losses.data_ptr<double>()[start + i] = softmax_loss(row, offset, width, wanted, wants);
            }
        });
        if (!wants) continue;
        if (gradients->hidden.defined()) {
            Tensor out = gradients->hidden.narrow(0, start, count);
            at::mm_out(out, logits, weight);
        }
        if (gradients->weight.defined()) gradients->weight.addmm_(logits.t(), slice);
        if (gradients->bias.defined()) gradients->bias.add_(logits.sum(0));
    }
    return losses.sum().to(at::kFloat);
}

struct LinearCrossEntropy : torch::autograd::Function<LinearCrossEntropy> {
    static Tensor forward(
        AutogradContext* context, const Tensor& h, const Tensor& weight, const c10::optional<Tensor>& bias, const Tensor& targets) {
        Tensor offset = bias.value_or(Tensor());
        LossGradients gradients;
        if (h.requires_grad()) gradients.hidden = at::empty_like(h);
        if (weight.requires_grad()) gradients.weight = at::zeros_like(weight);
        if (offset.defined() && offset.requires_grad()) gradients.bias = at::zeros_like(offset);
        Tensor loss = cross_entropy(h, weight, offset, targets, &gradients);
        context->save_for_backward({gradients.hidden, gradients.weight, gradients.bias});
        return loss;
    }

    static variable_list backward(AutogradContext* context, variable_list grads) {
        refuse_second_derivative("linear_cross_entropy");
        auto saved = context->get_saved_variables();
        for (Tensor& gradient : saved) {
            if (gradient.defined()) gradient = gradient.mul(grads[0]);
        }
        return {saved[0], saved[1], saved[2], Tensor()};
    }
};

Tensor linear_cross_entropy(const Tensor& hidden, const Tensor& weight, const c10::optional<Tensor>& bias, const Tensor& targets) {
    check_floats(hidden, "linear_cross_entropy", "hidden");
    check_floats(weight, "linear_cross_entropy", "weight");
    TORCH_CHECK(
        hidden.dim() == 2 && weight.dim() == 2 && hidden.size(1) == weight.size(1) && targets.scalar_type() == at::kLong && targets.is_contiguous() &&
            targets.numel() == hidden.size(0),
        "linear_cross_entropy: hidden ", hidden.sizes(), ", weight ", weight.sizes(), ", targets ", targets.sizes(), " of ", targets.scalar_type(),
        "; (n, width), (classes, width), (n) int64 were expected");
    const int64_t classes = weight.size(0);
    for (int64_t i = 0; i < targets.numel(); i++) {
        const int64_t target = targets.data_ptr<int64_t>()[i];
        TORCH_CHECK(target < classes && (target >= 0 || target == -100), "linear_cross_entropy: target ", target, " at ", i, " of ", classes, " classes");
    }
    c10::optional<Tensor> offset;
    if (bias.has_value() && bias->defined()) {
        check_floats(*bias, "linear_cross_entropy", "bias");
        TORCH_CHECK(bias->dim() == 1 && bias->size(0) == classes, "linear_cross_entropy: bias ", bias->sizes(), " for ", classes, " classes");
        offset = bias->contiguous();
    }
    const Tensor added = offset.value_or(Tensor());
    return records(hidden, weight, added) ? LinearCrossEntropy::apply(hidden.contiguous(), weight.contiguous(), offset, targets)
                                          : cross_entropy(hidden.contiguous(), weight.contiguous(), added, targets, nullptr);
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(federated, m) {
    m.def("lora_linear(Tensor x, Tensor weight, Tensor? bias, Tensor a, Tensor b, float scale) -> Tensor", &lora_linear);
    m.def("linear_cross_entropy(Tensor hidden, Tensor weight, Tensor? bias, Tensor targets) -> Tensor", &linear_cross_entropy);
}

}  // namespace federated
