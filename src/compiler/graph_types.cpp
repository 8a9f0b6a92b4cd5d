#include <ATen/ATen.h>

#include <algorithm>

#include "compiler/graph.h"
#include "core/error.h"

namespace torch_tensorrt::compiler {

std::optional<core::DType> to_core(c10::ScalarType type) {
  using core::DType;
  switch (type) {
    case c10::ScalarType::Float:
      return DType::f32;
    case c10::ScalarType::Half:
      return DType::f16;
    case c10::ScalarType::BFloat16:
      return DType::bf16;
    case c10::ScalarType::Double:
      return DType::f64;
    case c10::ScalarType::Long:
      return DType::i64;
    case c10::ScalarType::Int:
      return DType::i32;
    case c10::ScalarType::Char:
      return DType::i8;
    case c10::ScalarType::Byte:
      return DType::u8;
    case c10::ScalarType::Bool:
      return DType::b;
    case c10::ScalarType::Float8_e4m3fn:
      return DType::f8;
    default:
      return std::nullopt;
  }
}

c10::ScalarType to_torch(core::DType type) {
  using core::DType;
  switch (type) {
    case DType::f32:
      return c10::ScalarType::Float;
    case DType::f16:
      return c10::ScalarType::Half;
    case DType::bf16:
      return c10::ScalarType::BFloat16;
    case DType::f64:
      return c10::ScalarType::Double;
    case DType::i64:
      return c10::ScalarType::Long;
    case DType::i32:
      return c10::ScalarType::Int;
    case DType::i8:
      return c10::ScalarType::Char;
    case DType::u8:
      return c10::ScalarType::Byte;
    case DType::b:
      return c10::ScalarType::Bool;
    case DType::f8:
      return c10::ScalarType::Float8_e4m3fn;
    case DType::i4:
    case DType::f4:
      break;
  }
  throw core::internal_error("[graph] dtype ", core::name(type), " has no PyTorch counterpart");
}

TypeOrReason tensor_type(const Var& var) {
  if (!var.fact)
    return {{}, var.unknown_because.empty() ? "its type is not known" : var.unknown_because};
  const auto& samples = var.fact->samples;
  for (const auto& sample : samples) {
    if (sample.isNone() || (sample.isTensor() && !sample.toTensor().defined()))
      return {{}, "it is None, expected a tensor"};
    if (!sample.isTensor())
      return {{}, core::text("it is ", sample.type()->annotation_str(), ", expected a tensor")};
  }
  const at::Tensor& first = samples.front().toTensor();
  if (first.layout() != at::kStrided) return {{}, "its layout is not strided"};
  const auto dtype = to_core(first.scalar_type());
  if (!dtype) return {{}, core::text("no engine has the dtype ", first.scalar_type())};
  core::TensorType type{*dtype, {}};
  for (std::int64_t axis = 0; axis < first.dim(); ++axis) {
    std::int64_t low = first.size(axis), high = low;
    for (const auto& sample : samples) {
      const at::Tensor& tensor = sample.toTensor();
      if (tensor.dim() != first.dim()) return {{}, "its rank changes with the input shapes"};
      low = std::min(low, tensor.size(axis));
      high = std::max(high, tensor.size(axis));
    }
    const auto opt = samples[samples.size() > 1 ? 1 : 0].toTensor().size(axis);
    type.dims.push_back(low == high ? core::Extent(low) : core::Extent::range(low, opt, high));
  }
  return {type, {}};
}

namespace {

/// Holds a tensor of which only the shape is known.
bool holds_meta(const c10::IValue& value) {
  if (value.isTensor()) return value.toTensor().defined() && value.toTensor().is_meta();
  if (value.isTuple()) {
    const auto& elements = value.toTupleRef().elements();
    return std::any_of(elements.begin(), elements.end(), holds_meta);
  }
  if (value.isTensorList() || value.isList()) {
    const auto elements = value.toListRef();
    return std::any_of(elements.begin(), elements.end(), holds_meta);
  }
  return value.isGenericDict();
}

}  // namespace

std::optional<c10::IValue> known_constant(const Argument& argument) {
  if (const auto* constant = argument.constant()) return *constant;
  const Var* var = argument.var();
  if (!var || !var->fact || var->fact->dynamic || var->fact->speculative) return std::nullopt;
  const c10::IValue& value = var->fact->samples.front();
  if (holds_meta(value)) return std::nullopt;
  return value;
}

}  // namespace torch_tensorrt::compiler
