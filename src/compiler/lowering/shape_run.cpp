#include "compiler/lowering/shape_run.h"

#include <ATen/ATen.h>
#include <ATen/core/dispatch/Dispatcher.h>

#include <algorithm>
#include <atomic>
#include <optional>
#include <string_view>
#include <unordered_set>

#include "compiler/op_kinds.h"
#include "compiler/probe.h"
#include "core/error.h"

namespace torch_tensorrt::compiler {
namespace {

std::atomic<void (*)()> clear_failure{nullptr};

}  // namespace

void set_after_failure(void (*clear)()) { clear_failure = clear; }

void after_failure() {
  if (auto* clear = clear_failure.load()) clear();
}

namespace {

bool is_tensor_list(const c10::IValue& value) {
  if (!value.isList() || value.isIntList() || value.isDoubleList() || value.isBoolList())
    return false;
  const auto list = value.toListRef();
  return std::any_of(list.begin(), list.end(),
                     [](const c10::IValue& element) { return element.isTensor(); });
}

/// Applies fn to every tensor of the value.
template <typename Fn>
c10::IValue map_tensors(const c10::IValue& value, Fn&& fn) {
  if (value.isTensor() && value.toTensor().defined()) return fn(value.toTensor());
  if (!is_tensor_list(value)) return value;
  std::vector<c10::IValue> elements;
  for (const auto& element : value.toListRef()) elements.push_back(map_tensors(element, fn));
  return make_list(value.toList().elementType(), elements);
}

/// Does the op's result shape depend on data? Then zeros would lie.
bool depends_on_data(const c10::FunctionSchema& schema) {
  const auto handle =
      c10::Dispatcher::singleton().findSchema({schema.name(), schema.overload_name()});
  if (!handle) return true;
  if (handle->hasTag(at::Tag::data_dependent_output) ||
      handle->hasTag(at::Tag::dynamic_output_shape))
    return true;
  return std::any_of(schema.returns().begin(), schema.returns().end(),
                     [](const c10::Argument& result) {
                       const auto kind = result.type()->kind();
                       return kind != c10::TypeKind::TensorType && kind != c10::TypeKind::ListType;
                     });
}

/// Does it take integers? These may be indices, lengths or counts, which zeros need not be.
bool takes_integers(const torch::jit::Stack& inputs) {
  bool found = false;
  for (const c10::IValue& input : inputs) {
    map_tensors(input, [&](const at::Tensor& tensor) -> c10::IValue {
      found |= at::isIntegralType(tensor.scalar_type(), /*includeBool=*/false);
      return tensor;
    });
  }
  return found;
}

/// A tensor of that size, one number everywhere, that takes one element of memory.
at::Tensor filled_like(const at::Tensor& meta, int number) {
  return at::full({}, number, at::TensorOptions(meta.scalar_type())).expand(meta.sizes());
}

std::vector<std::vector<std::int64_t>> sizes_of(const c10::IValue& value) {
  std::vector<std::vector<std::int64_t>> sizes;
  map_tensors(value, [&](const at::Tensor& tensor) -> c10::IValue {
    sizes.push_back(tensor.sizes().vec());
    return tensor;
  });
  return sizes;
}

std::vector<std::int64_t> ints(const c10::IValue& value, std::size_t count) {
  auto list = value.isInt() ? std::vector<std::int64_t>{value.toInt()} : value.toIntVector();
  if (list.size() == 1) list.resize(count, list.front());
  if (list.size() != count)
    throw core::invalid_argument("expected ", count, " numbers, got ", list.size());
  return list;
}

/// Output sizes of a convolution by its formula, so that no CPU time goes into convolving zeros.
std::optional<at::Tensor> convolve_shape(const Node& node, const torch::jit::Stack& stack) {
  const std::string kind = node.kind.toQualString();
  const bool is_conv = kind == "aten::_convolution" || kind == "aten::convolution" ||
                       kind.rfind("aten::conv1d", 0) == 0 || kind.rfind("aten::conv2d", 0) == 0 ||
                       kind.rfind("aten::conv3d", 0) == 0 ||
                       kind.rfind("aten::conv_transpose", 0) == 0;
  if (!is_conv || node.schema()->overload_name() == "padding") return std::nullopt;
  const auto argument = [&](const char* name) -> const c10::IValue* {
    const auto index = node.schema()->argumentIndexWithName(name);
    return index ? &stack.at(*index) : nullptr;
  };
  const at::Tensor& x = argument("input")->toTensor();
  const at::Tensor& weight = argument("weight")->toTensor();
  const auto spatial = static_cast<std::size_t>(weight.dim() - 2);
  const bool batched = x.dim() == weight.dim();
  if (!batched && x.dim() + 1 != weight.dim()) {
    throw core::invalid_argument("the input has rank ", x.dim(), ", expected ", weight.dim() - 1,
                                 " or ", weight.dim());
  }
  const auto* flag = argument("transposed");
  const bool transposed = flag ? flag->toBool() : kind.rfind("aten::conv_transpose", 0) == 0;
  const std::int64_t groups = argument("groups")->toInt();
  const auto stride = ints(*argument("stride"), spatial),
             padding = ints(*argument("padding"), spatial);
  const auto dilation = ints(*argument("dilation"), spatial);
  const auto* extra = argument("output_padding");
  const auto output_padding = extra ? ints(*extra, spatial) : std::vector<std::int64_t>(spatial, 0);
  const std::int64_t channels = x.size(batched ? 1 : 0);
  const std::int64_t expected = transposed ? weight.size(0) : weight.size(1) * groups;
  if (channels != expected)
    throw core::invalid_argument("the input has ", channels, " channels, expected ", expected);
  std::vector<std::int64_t> sizes;
  if (batched) sizes.push_back(x.size(0));
  sizes.push_back(transposed ? weight.size(1) * groups : weight.size(0));
  for (std::size_t i = 0; i < spatial; ++i) {
    const std::int64_t in = x.size(static_cast<std::int64_t>(i) + (batched ? 2 : 1));
    const std::int64_t kernel =
        dilation[i] * (weight.size(static_cast<std::int64_t>(i) + 2) - 1) + 1;
    const std::int64_t out =
        transposed ? (in - 1) * stride[i] - 2 * padding[i] + kernel + output_padding[i]
                   : (in + 2 * padding[i] - kernel) / stride[i] + 1;
    if (out <= 0 || (!transposed && in + 2 * padding[i] < kernel)) {
      throw core::invalid_argument("the kernel of ", kernel, " does not fit an input of ", in);
    }
    sizes.push_back(out);
  }
  return at::empty(sizes, x.options().device(at::kMeta));
}

}  // namespace

c10::IValue to_meta(const c10::IValue& value) {
  return map_tensors(value, [](const at::Tensor& tensor) -> c10::IValue {
    if (tensor.is_meta()) return tensor;
    at::Tensor meta =
        at::empty_strided(tensor.sizes(), tensor.strides(), tensor.options().device(at::kMeta));
    // Python numbers in a trace take part in type promotion as numbers.
    if (tensor.unsafeGetTensorImpl()->is_wrapped_number())
      meta.unsafeGetTensorImpl()->set_wrapped_number(true);
    return meta;
  });
}

bool has_meta(const c10::IValue& value) {
  if (value.isTensor()) return value.toTensor().defined() && value.toTensor().is_meta();
  if (!is_tensor_list(value)) return false;
  const auto list = value.toListRef();
  return std::any_of(list.begin(), list.end(),
                     [](const auto& element) { return has_meta(element); });
}

namespace {

/// A recurrent op over its first step, with the sequence of results made as long as the input:
/// on meta tensors PyTorch runs every op of every step, which takes seconds for long sequences.
bool run_first_step(const Node& node, torch::jit::Stack& stack) {
  if (!is_recurrent(node) || node.schema()->overload_name() != "input") return false;
  const at::Tensor x = stack.front().toTensor();
  const bool batch_first = stack.back().toBool();
  const std::int64_t time = batch_first ? 1 : 0;
  if (!x.is_meta() || x.dim() != 3 || x.size(time) < 2) return false;
  stack.front() = x.narrow(time, 0, 1);
  node.op->getOperation()(stack);
  const std::size_t results = node.schema()->returns().size();
  c10::IValue& sequence = stack.at(stack.size() - results);
  const at::Tensor step = sequence.toTensor();
  const at::Tensor steps =
      at::empty({x.size(time), step.size(1 - time), step.size(2)}, step.options());
  sequence = batch_first ? steps.transpose(0, 1) : steps;
  return true;
}

/// Factories that take a tensor for its size and dtype only: their result is real, and a constant
/// where sizes are fixed.
bool is_factory(const Node& node) {
  static const std::unordered_set<std::string> kFactories = {"aten::new_zeros", "aten::new_ones",
                                                             "aten::new_full",  "aten::zeros_like",
                                                             "aten::ones_like", "aten::full_like"};
  return kFactories.count(node.kind.toQualString()) != 0;
}

/// With numbers in the place of meta tensors.
torch::jit::Stack filled(const torch::jit::Stack& inputs, int number) {
  torch::jit::Stack stack;
  for (const c10::IValue& input : inputs) {
    c10::IValue value = map_tensors(input, [number](const at::Tensor& tensor) -> c10::IValue {
      return tensor.is_meta() ? filled_like(tensor, number) : tensor;
    });
    if (value.isDevice()) value = c10::Device(at::kCPU);
    stack.push_back(std::move(value));
  }
  return stack;
}

/// What PyTorch writes where a custom op's shape function asks for a size that only data tell.
bool says_it_depends_on_data(const std::exception& error) {
  return std::string_view(error.what()).find("data-dependent") != std::string_view::npos;
}

std::optional<torch::jit::Stack> run_on(const Node& node, const torch::jit::Stack& inputs,
                                        int number) {
  torch::jit::Stack stack = filled(inputs, number);
  try {
    node.op->getOperation()(stack);
  } catch (const std::exception&) {
    if (number == 0) throw;
    after_failure();
    return std::nullopt;
  }
  return stack;
}

/// The results on zeros, or on ones where zeros will not do. Other sizes on ones: they depend on
/// data.
torch::jit::Stack run_on_numbers(const Node& node, const torch::jit::Stack& inputs) {
  const std::optional<torch::jit::Stack> ones = run_on(node, inputs, 1);
  torch::jit::Stack zeros;
  try {
    zeros = *run_on(node, inputs, 0);
  } catch (const c10::NotImplementedError&) {
    throw;
  } catch (const c10::LinAlgError&) {
    throw;  // zeros are singular; the model's matrices need not be
  } catch (const c10::Error& error) {
    if (ones) return *ones;
    if (takes_integers(inputs)) throw;
    const std::string message = error.what_without_backtrace();
    throw core::invalid_argument(message.substr(0, message.find('\n')));
  }
  for (std::size_t i = 0; ones && i < zeros.size(); ++i) {
    if (sizes_of(zeros[i]) != sizes_of(ones->at(i)))
      throw core::unsupported("the size of its result depends on data");
  }
  return zeros;
}

}  // namespace

void run_for_shape(const Node& node, torch::jit::Stack& stack, const torch::jit::Stack& given) {
  if (is_factory(node)) {
    stack = filled(stack, 0);
    node.op->getOperation()(stack);
    return;
  }
  if (auto result = convolve_shape(node, stack)) {
    stack = {std::move(*result)};
    return;
  }
  // What writes must not write to what the model holds.
  const torch::jit::Stack inputs = node.schema()->is_mutable() ? stack : given;
  try {
    if (!run_first_step(node, stack)) node.op->getOperation()(stack);
    return;
  } catch (const std::exception& error) {
    if (depends_on_data(*node.schema()) || says_it_depends_on_data(error)) throw;
    after_failure();
  }
  stack = run_on_numbers(node, inputs);
  for (c10::IValue& result : stack) result = to_meta(result);
}

}  // namespace torch_tensorrt::compiler
