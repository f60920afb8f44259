// The one door from C# to libtorch. Operators are looked up by name in libtorch's dispatcher and called boxed with tagged
// arguments, so none needs a function here; the few functions beside it do what no operator does.
//
// Rules of this border:
//  - Every function is `extern "C"` and `noexcept`: a C++ exception becomes text, read with ft_last_error on the same thread.
//  - A tensor handle is a TensorImpl* that owns one reference; nullptr is the undefined tensor. The caller frees it with ft_free.
//  - Strings and arrays handed out stay valid until the next call on the same thread.

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/add.h>
#include <ATen/ops/from_blob.h>
#include <c10/core/InferenceMode.h>
#include <dlfcn.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/variable.h>
#include <torch/library.h>
#include <torch/version.h>

#include <atomic>
#include <string>
#include <vector>

#define FT_EXPORT extern "C" __attribute__((visibility("default")))

namespace {

using c10::IValue;
using TensorPtr = c10::intrusive_ptr<c10::TensorImpl, c10::UndefinedTensorImpl>;
using GeneratorPtr = c10::intrusive_ptr<c10::GeneratorImpl>;

// Mirrored by NativeArgument.cs.
enum Tag : int32_t {
    TagNone = 0, TagTensor = 1, TagInt = 2, TagDouble = 3, TagBool = 4, TagIntList = 5, TagDoubleList = 6, TagBoolList = 7,
    TagTensorList = 8, TagString = 9, TagDevice = 10, TagGenerator = 11, TagDefault = 12,
};

struct Value {
    int32_t tag;
    int32_t length;  // of a list or string
    union {
        int64_t integer;
        double number;
        void* pointer;
    };
};
static_assert(sizeof(Value) == 16, "the managed mirror has 16 bytes");

// How an argument's declared type changes what arrives: callers need not know 2 from 2.0, or 3 from [3].
enum class Shape : uint8_t { AsGiven, Float, IntList, OptionalTensorList };

struct Parameter {
    Shape shape;
    bool has_default;
    IValue default_value;
};

struct Operator {
    c10::OperatorHandle handle;
    std::vector<Parameter> parameters;
};

thread_local std::string last_error;
thread_local std::vector<void*> list_results;
std::atomic<int64_t> live_tensors{0};
std::atomic<int> wanted_threads{0};

template <class Body>
int guarded(Body&& body) noexcept {
    try {
        body();
        return 0;
    } catch (const c10::Error& e) {
        last_error = e.what_without_backtrace();
    } catch (const std::exception& e) {
        last_error = e.what();
    } catch (...) {
        last_error = "unknown native error";
    }
    return 1;
}

// OpenMP keeps its thread count per calling thread, .NET calls from many: each takes over the wanted count when it comes by.
void follow_thread_count() {
    thread_local int current = 0;
    int wanted = wanted_threads.load(std::memory_order_relaxed);
    if (wanted != current) {
        at::set_num_threads(wanted);
        current = wanted;
    }
}

at::Tensor borrow(void* handle) {
    if (handle == nullptr) return {};
    return at::Tensor(TensorPtr::unsafe_reclaim_from_nonowning(static_cast<c10::TensorImpl*>(handle)));
}

void* hand_over(at::Tensor&& tensor) {
    if (!tensor.defined()) return nullptr;
    live_tensors.fetch_add(1, std::memory_order_relaxed);
    return tensor.unsafeReleaseTensorImpl();
}

void release(void* handle) {
    if (handle == nullptr) return;
    live_tensors.fetch_sub(1, std::memory_order_relaxed);
    TensorPtr::reclaim(static_cast<c10::TensorImpl*>(handle));
}

at::Generator borrow_generator(void* handle) {
    TORCH_CHECK(handle != nullptr, "the random number generator was disposed");
    return at::Generator(GeneratorPtr::unsafe_reclaim_from_nonowning(static_cast<c10::GeneratorImpl*>(handle)));
}

std::vector<at::Tensor> borrow_all(void* const* handles, int32_t count) {
    std::vector<at::Tensor> tensors;
    tensors.reserve(count);
    for (int32_t i = 0; i < count; i++) tensors.push_back(borrow(handles[i]));
    return tensors;
}

Shape shape_of(const c10::TypePtr& declared) {
    c10::TypePtr type = declared;
    if (auto optional = type->cast<c10::OptionalType>()) type = optional->getElementType();
    if (type->kind() == c10::TypeKind::FloatType) return Shape::Float;
    if (auto list = type->cast<c10::ListType>()) {
        auto element = list->getElementType();
        if (element->kind() == c10::TypeKind::OptionalType) return Shape::OptionalTensorList;
        if (element->kind() == c10::TypeKind::IntType || element->kind() == c10::TypeKind::SymIntType) return Shape::IntList;
    }
    return Shape::AsGiven;
}

IValue tensor_list(const Value& value, Shape shape) {
    auto handles = static_cast<void* const*>(value.pointer);
    if (shape == Shape::OptionalTensorList) {
        c10::List<c10::optional<at::Tensor>> list;
        list.reserve(value.length);
        for (int32_t i = 0; i < value.length; i++)
            list.push_back(handles[i] ? c10::optional<at::Tensor>(borrow(handles[i])) : c10::nullopt);
        return list;
    }
    return c10::List<at::Tensor>(borrow_all(handles, value.length));
}

IValue unpack(const Operator& op, size_t index, const Value& value) {
    const Shape shape = op.parameters[index].shape;
    switch (value.tag) {
        case TagNone: return {};
        case TagTensor: return borrow(value.pointer);
        case TagInt:
            if (shape == Shape::Float) return static_cast<double>(value.integer);
            if (shape == Shape::IntList) return c10::List<int64_t>({value.integer});
            return value.integer;
        case TagDouble: return value.number;
        case TagBool: return value.integer != 0;
        case TagIntList: {
            auto items = static_cast<const int64_t*>(value.pointer);
            return c10::List<int64_t>(at::IntArrayRef(items, value.length));
        }
        case TagDoubleList: {
            auto items = static_cast<const double*>(value.pointer);
            return c10::List<double>(at::ArrayRef<double>(items, value.length));
        }
        case TagBoolList: {
            auto items = static_cast<const int64_t*>(value.pointer);
            c10::List<bool> list;
            for (int32_t i = 0; i < value.length; i++) list.push_back(items[i] != 0);
            return list;
        }
        case TagTensorList: return tensor_list(value, shape);
        case TagString: return std::string(static_cast<const char*>(value.pointer), value.length);
        case TagDevice:
            return c10::Device(static_cast<c10::DeviceType>(value.length), static_cast<c10::DeviceIndex>(value.integer));
        case TagGenerator: return borrow_generator(value.pointer);
        case TagDefault:
            TORCH_CHECK(
                op.parameters[index].has_default, op.handle.schema().name(), ": argument '", op.handle.schema().arguments()[index].name(),
                "' has no default");
            return op.parameters[index].default_value;
        default: TORCH_CHECK(false, "unknown argument tag ", value.tag);
    }
}

void pack(IValue&& source, Value& target) {
    target = Value{TagNone, 0, {0}};
    if (source.isTensor()) {
        target.tag = TagTensor;
        target.pointer = hand_over(std::move(source).toTensor());
    } else if (source.isInt()) {
        target.tag = TagInt;
        target.integer = source.toInt();
    } else if (source.isDouble()) {
        target.tag = TagDouble;
        target.number = source.toDouble();
    } else if (source.isBool()) {
        target.tag = TagBool;
        target.integer = source.toBool();
    } else if (source.isTensorList()) {
        list_results.clear();
        for (at::Tensor& tensor : source.toTensorVector()) list_results.push_back(hand_over(std::move(tensor)));
        target.tag = TagTensorList;
        target.length = static_cast<int32_t>(list_results.size());
        target.pointer = list_results.data();
    } else {
        TORCH_CHECK(source.isNone(), "a result of type ", source.tagKind(), " cannot cross to C#");
    }
}

void call(const Operator& op, const Value* arguments, int32_t count, Value* results, int32_t wanted) {
    const size_t declared = op.parameters.size();
    TORCH_CHECK(static_cast<size_t>(count) <= declared, op.handle.schema().name(), " takes ", declared, " arguments, got ", count);
    follow_thread_count();

    // The stack's memory is kept for the next call; it is moved out meanwhile because an operator may come back here.
    thread_local torch::jit::Stack kept;
    torch::jit::Stack stack = std::move(kept);
    stack.clear();
    static const Value missing{TagDefault, 0, {0}};
    for (size_t i = 0; i < declared; i++) stack.push_back(unpack(op, i, i < static_cast<size_t>(count) ? arguments[i] : missing));
    op.handle.callBoxed(&stack);
    const int32_t got = std::min(wanted, static_cast<int32_t>(stack.size()));
    for (int32_t i = 0; i < got; i++) pack(std::move(stack[i]), results[i]);
    for (int32_t i = got; i < wanted; i++) results[i] = Value{TagNone, 0, {0}};
    stack.clear();
    kept = std::move(stack);
}

}  // namespace

FT_EXPORT const char* ft_last_error() noexcept { return last_error.c_str(); }

FT_EXPORT const char* ft_version() noexcept { return TORCH_VERSION; }

// ---- operators ----

/// Finds `name.overload`; the result is never freed: operators are looked up once per process.
FT_EXPORT void* ft_operator(const char* name, const char* overload) noexcept {
    Operator* result = nullptr;
    guarded([&] {
        auto found = c10::Dispatcher::singleton().findSchema({name, overload});
        TORCH_CHECK(found.has_value(), "this libtorch (", TORCH_VERSION, ") has no operator ", name, *overload ? "." : "", overload);
        std::vector<Parameter> parameters;
        for (const auto& argument : found->schema().arguments()) {
            auto value = argument.default_value();
            parameters.push_back({shape_of(argument.type()), value.has_value(), value.value_or(IValue())});
        }
        result = new Operator{*found, std::move(parameters)};
    });
    return result;
}

FT_EXPORT int ft_call(const void* op, const Value* arguments, int32_t count, Value* results, int32_t wanted) noexcept {
    return guarded([&] { call(*static_cast<const Operator*>(op), arguments, count, results, wanted); });
}

/// The same work without the door, for measuring what the door costs.
FT_EXPORT int ft_benchmark_add(void* left, void* right, int64_t times) noexcept {
    return guarded([&] {
        at::Tensor a = borrow(left), b = borrow(right);
        for (int64_t i = 0; i < times; i++) at::add(a, b);
    });
}

// ---- tensors ----

struct Description {
    void* data;
    const int64_t* sizes;
    const int64_t* strides;
    int64_t elements;
    int64_t offset;
    int32_t rank;
    int32_t dtype;
    int32_t device_type;
    int32_t device_index;
    int32_t element_size;
    int32_t flags;  // 1 requires_grad, 2 leaf, 4 contiguous
};

FT_EXPORT int ft_describe(void* handle, Description* out) noexcept {
    return guarded([&] {
        at::Tensor tensor = borrow(handle);
        auto sizes = tensor.sizes();
        auto strides = tensor.strides();
        auto device = tensor.device();
        *out = Description{
            tensor.has_storage() ? tensor.data_ptr() : nullptr, sizes.data(), strides.data(), tensor.numel(), tensor.storage_offset(),
            static_cast<int32_t>(sizes.size()), static_cast<int32_t>(tensor.scalar_type()), static_cast<int32_t>(device.type()),
            static_cast<int32_t>(device.index()), static_cast<int32_t>(tensor.element_size()),
            (tensor.requires_grad() ? 1 : 0) | (tensor.is_leaf() ? 2 : 0) | (tensor.is_contiguous() ? 4 : 0)};
    });
}

FT_EXPORT void ft_free(void* handle) noexcept {
    guarded([&] { release(handle); });
}

FT_EXPORT int64_t ft_live_tensors() noexcept { return live_tensors.load(std::memory_order_relaxed); }

/// A tensor over memory that someone else owns; `deleter(context)` is called once, on any thread, when the last view is gone.
FT_EXPORT void* ft_from_blob(
    void* data, const int64_t* sizes, int32_t rank, int32_t dtype, void (*deleter)(void*), void* context) noexcept {
    void* result = nullptr;
    guarded([&] {
        auto options = at::TensorOptions().dtype(static_cast<at::ScalarType>(dtype));
        result = hand_over(at::from_blob(data, at::IntArrayRef(sizes, rank), [deleter, context](void*) { deleter(context); }, options));
    });
    return result;
}

// ---- autograd ----

FT_EXPORT int ft_set_requires_grad(void* handle, int on) noexcept {
    return guarded([&] { borrow(handle).set_requires_grad(on != 0); });
}

FT_EXPORT int ft_retain_grad(void* handle) noexcept {
    return guarded([&] { borrow(handle).retain_grad(); });
}

FT_EXPORT int ft_get_grad(void* handle, void** out) noexcept {
    return guarded([&] { *out = hand_over(at::Tensor(borrow(handle).grad())); });
}

FT_EXPORT int ft_set_grad(void* handle, void* grad) noexcept {
    return guarded([&] {
        at::Tensor tensor = borrow(handle), gradient = borrow(grad);
        TORCH_CHECK(
            !gradient.defined() || (gradient.sizes() == tensor.sizes() && gradient.scalar_type() == tensor.scalar_type()),
            "a gradient has the shape and type of its tensor, ", tensor.sizes(), " ", tensor.scalar_type(), ", got ", gradient.sizes(), " ",
            gradient.scalar_type());
        tensor.mutable_grad() = gradient;
    });
}

FT_EXPORT int ft_backward(
    void* const* roots, void* const* grads, int32_t count, int keep_graph, int create_graph, void* const* inputs, int32_t input_count) noexcept {
    return guarded([&] {
        follow_thread_count();
        torch::autograd::backward(
            borrow_all(roots, count), grads ? borrow_all(grads, count) : std::vector<at::Tensor>{}, keep_graph != 0, create_graph != 0,
            borrow_all(inputs, input_count));
    });
}

FT_EXPORT int ft_grad(
    void* const* outputs, void* const* grads, int32_t count, void* const* inputs, int32_t input_count, int keep_graph, int create_graph,
    int allow_unused, void** results) noexcept {
    return guarded([&] {
        follow_thread_count();
        auto found = torch::autograd::grad(
            borrow_all(outputs, count), borrow_all(inputs, input_count), grads ? borrow_all(grads, count) : std::vector<at::Tensor>{},
            keep_graph != 0, create_graph != 0, allow_unused != 0);
        for (int32_t i = 0; i < input_count; i++) results[i] = hand_over(std::move(found[i]));
    });
}

FT_EXPORT int ft_grad_enabled() noexcept { return c10::GradMode::is_enabled(); }

FT_EXPORT void ft_set_grad_enabled(int on) noexcept { c10::GradMode::set_enabled(on != 0); }

FT_EXPORT int ft_inference_enabled() noexcept { return c10::InferenceMode::is_enabled(); }

/// Opens inference mode on this thread; the guard is closed on the same thread, innermost first.
FT_EXPORT void* ft_inference_begin(int on) noexcept { return new c10::InferenceMode(on != 0); }

FT_EXPORT void ft_inference_end(void* guard) noexcept { delete static_cast<c10::InferenceMode*>(guard); }

// ---- random numbers ----

FT_EXPORT void* ft_generator(uint64_t seed) noexcept {
    void* result = nullptr;
    guarded([&] { result = at::detail::createCPUGenerator(seed).unsafeReleaseGeneratorImpl(); });
    return result;
}

FT_EXPORT void* ft_default_generator() noexcept {
    void* result = nullptr;
    guarded([&] { result = at::Generator(at::detail::getDefaultCPUGenerator()).unsafeReleaseGeneratorImpl(); });
    return result;
}

FT_EXPORT void ft_generator_free(void* handle) noexcept { GeneratorPtr::reclaim(static_cast<c10::GeneratorImpl*>(handle)); }

FT_EXPORT int ft_generator_set_seed(void* handle, uint64_t seed) noexcept {
    return guarded([&] {
        at::Generator generator = borrow_generator(handle);
        std::lock_guard<std::mutex> lock(generator.mutex());
        generator.set_current_seed(seed);
    });
}

/// Draws a new seed from the system when `fresh`, else tells the one in force.
FT_EXPORT int ft_generator_seed(void* handle, int fresh, uint64_t* out) noexcept {
    return guarded([&] {
        at::Generator generator = borrow_generator(handle);
        std::lock_guard<std::mutex> lock(generator.mutex());
        *out = fresh ? generator.seed() : generator.current_seed();
    });
}

FT_EXPORT int ft_generator_get_state(void* handle, void** out) noexcept {
    return guarded([&] {
        at::Generator generator = borrow_generator(handle);
        std::lock_guard<std::mutex> lock(generator.mutex());
        *out = hand_over(generator.get_state());
    });
}

FT_EXPORT int ft_generator_set_state(void* handle, void* state) noexcept {
    return guarded([&] {
        at::Generator generator = borrow_generator(handle);
        std::lock_guard<std::mutex> lock(generator.mutex());
        generator.set_state(borrow(state));
    });
}

// ---- threads ----

/// Called once after loading. OpenBLAS with a thread pool of its own fights libtorch's OpenMP pool (3 to 4 times slower than
/// one thread), so such a build is held to one thread; a build on OpenMP shares the pool and stays as it is.
FT_EXPORT int ft_initialize() noexcept {
    return guarded([&] {
        wanted_threads = at::get_num_threads();
        auto parallel = reinterpret_cast<int (*)()>(dlsym(RTLD_DEFAULT, "openblas_get_parallel"));
        auto set_threads = reinterpret_cast<void (*)(int)>(dlsym(RTLD_DEFAULT, "openblas_set_num_threads"));
        constexpr int own_pool = 1;
        if (parallel != nullptr && set_threads != nullptr && parallel() == own_pool) set_threads(1);
    });
}

FT_EXPORT int ft_get_num_threads() noexcept { return wanted_threads.load(std::memory_order_relaxed); }

FT_EXPORT int ft_set_num_threads(int count) noexcept {
    return guarded([&] {
        TORCH_CHECK(count > 0, "the number of threads must be positive, got ", count);
        wanted_threads = count;
        follow_thread_count();
    });
}

FT_EXPORT int ft_get_num_interop_threads() noexcept { return at::get_num_interop_threads(); }

FT_EXPORT int ft_set_num_interop_threads(int count) noexcept {
    return guarded([&] { at::set_num_interop_threads(count); });
}
