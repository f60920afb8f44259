// What the fused operators share.
#pragma once

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include <cmath>
#include <cstdint>
#include <cstring>

// Each hot loop is compiled for these processors; the loader picks one at start.
#define FT_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))

namespace federated {

using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::Variable;
using torch::autograd::variable_list;

inline const Tensor& check_floats(const Tensor& tensor, const char* op, const char* name) {
    TORCH_CHECK(
        tensor.device().is_cpu() && tensor.scalar_type() == at::kFloat, op, ": '", name, "' is ", tensor.scalar_type(), " on ", tensor.device(),
        "; float32 on the CPU was expected");
    return tensor;
}

/// True when a backward pass may follow, so that something must be kept for it.
template <class... Tensors>
bool records(const Tensors&... tensors) {
    return at::GradMode::is_enabled() && (... || (tensors.defined() && tensors.requires_grad()));
}

/// Called first in every backward pass: what follows is arithmetic that autograd does not see, so a derivative of it would be silently wrong.
inline void refuse_second_derivative(const char* op) {
    TORCH_CHECK(!at::GradMode::is_enabled(), op, ": no second derivative (create_graph); the composed form of the operation has one");
}

/// exp(x) without a branch or a call, so that a loop over it becomes vector code. Relative error below 2e-7 on [-87, 88]; 0 below.
/// Cephes' expf: exp(x) = 2^n exp(r), |r| <= ln(2)/2, by a polynomial of degree 6.
inline __attribute__((always_inline)) float exp_of(float x) {
    const float clamped = x < -87.3f ? -87.3f : (x > 88.3f ? 88.3f : x);
    const float n = __builtin_floorf(clamped * 1.44269504088896341f + 0.5f);
    const float r = (clamped - n * 0.693359375f) + n * 2.12194440e-4f;
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    const float value = (p * r * r + r) + 1.0f;
    const int32_t bits = (static_cast<int32_t>(n) + 127) << 23;
    float power;
    std::memcpy(&power, &bits, sizeof power);
    return x < -87.3f ? 0.0f : value * power;
}

}  // namespace federated
