// AdamW over all parameters in one call and one pass over memory, where the composed form makes twelve.
// Loshchilov and Hutter, "Decoupled Weight Decay Regularization", ICLR 2019; the arithmetic of PyTorch's single-tensor AdamW.

#include <ATen/Dispatch.h>
#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <c10/core/InferenceMode.h>
#include <torch/library.h>

#include <cmath>
#include <vector>

namespace {

struct Step {
    double keep, beta1, beta2, eps, step_size, root_of_correction;
    bool maximize;
};

template <class T>
__attribute__((target_clones("avx512f", "avx2,fma", "default"))) void update(
    T* __restrict parameter, const T* __restrict gradient, T* __restrict first, T* __restrict second, T* __restrict largest,
    const Step& step, int64_t begin, int64_t end) {
    const T keep = step.keep, b1 = step.beta1, c1 = 1 - step.beta1, b2 = step.beta2, c2 = 1 - step.beta2;
    const T eps = step.eps, size = step.step_size, root = step.root_of_correction, sign = step.maximize ? -1 : 1;
    for (int64_t i = begin; i < end; i++) {
        const T g = sign * gradient[i];
        const T m = first[i] = first[i] * b1 + g * c1;
        T v = second[i] = second[i] * b2 + g * g * c2;
        if (largest != nullptr) v = largest[i] = largest[i] < v ? v : largest[i];
        parameter[i] = parameter[i] * keep - size * m / (std::sqrt(v) / root + eps);
    }
}

bool dense_alike(const at::Tensor& a, const at::Tensor& b) {
    return b.is_contiguous() && b.numel() == a.numel() && b.scalar_type() == a.scalar_type() && b.device().is_cpu();
}

void adamw_(
    at::TensorList parameters, at::TensorList gradients, at::TensorList first, at::TensorList second, at::TensorList largest,
    at::IntArrayRef steps, double lr, double beta1, double beta2, double eps, double weight_decay, bool maximize) {
    const size_t count = parameters.size();
    TORCH_CHECK(
        gradients.size() == count && first.size() == count && second.size() == count && steps.size() == count &&
            (largest.empty() || largest.size() == count),
        "adamw_: the lists must have one entry per parameter");
    for (size_t i = 0; i < count; i++) {
        const at::Tensor& parameter = parameters[i];
        TORCH_CHECK(
            parameter.is_contiguous() && parameter.device().is_cpu() && dense_alike(parameter, gradients[i]) &&
                dense_alike(parameter, first[i]) && dense_alike(parameter, second[i]) &&
                (largest.empty() || dense_alike(parameter, largest[i])),
            "adamw_: parameter ", i, ", its gradient and its moments must be contiguous CPU tensors of one shape and type");
        const double correction1 = 1 - std::pow(beta1, steps[i]), correction2 = 1 - std::pow(beta2, steps[i]);
        const Step step{1 - lr * weight_decay, beta1, beta2, eps, lr / correction1, std::sqrt(correction2), maximize};
        AT_DISPATCH_FLOATING_TYPES(parameter.scalar_type(), "adamw_", [&] {
            auto p = parameter.data_ptr<scalar_t>();
            auto g = gradients[i].data_ptr<scalar_t>();
            auto m = first[i].data_ptr<scalar_t>();
            auto v = second[i].data_ptr<scalar_t>();
            auto top = largest.empty() ? nullptr : largest[i].data_ptr<scalar_t>();
            constexpr int64_t grain = 16384;
            at::parallel_for(0, parameter.numel(), grain, [&](int64_t begin, int64_t end) { update(p, g, m, v, top, step, begin, end); });
        });
        parameter.unsafeGetTensorImpl()->bump_version();
    }
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(federated, m) {
    m.def(
        "adamw_(Tensor(a!)[] parameters, Tensor[] gradients, Tensor(b!)[] first, Tensor(c!)[] second, Tensor(d!)[] largest, "
        "int[] steps, float lr, float beta1, float beta2, float eps, float weight_decay, bool maximize) -> ()",
        &adamw_);
}
