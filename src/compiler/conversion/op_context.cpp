#include "compiler/conversion/op_context.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "core/error.h"

namespace torch_tensorrt::compiler {

core::Tensor constant_data(const at::Tensor& tensor) {
  const at::Tensor data = tensor.detach().to(at::kCPU).contiguous();
  const auto dtype = to_core(data.scalar_type());
  if (!dtype)
    throw core::unsupported("[conversion] a constant has the dtype ", data.scalar_type(),
                            ", which no engine has");
  auto owner = std::make_shared<const at::Tensor>(data);
  return {*dtype, data.sizes().vec(), core::Blob(owner, data.const_data_ptr(), data.nbytes())};
}

Value Environment::constant(const at::Tensor& tensor) {
  const auto cached = constants_.find(tensor.unsafeGetTensorImpl());
  if (cached != constants_.end()) return cached->second.second;
  const bool is_double = tensor.scalar_type() == at::kDouble;
  const Value value = net_.constant(constant_data(is_double ? tensor.to(at::kFloat) : tensor));
  constants_.emplace(tensor.unsafeGetTensorImpl(), std::make_pair(tensor, value));
  return value;
}

std::string OpContext::where() const {
  return core::text(node_.name(), " at ", compiler::where(node_.origin));
}

const Argument& OpContext::argument(std::string_view name) const {
  const auto* schema = node_.schema();
  if (schema) {
    const auto index = schema->argumentIndexWithName(name);
    if (index && static_cast<std::size_t>(*index) < node_.args.size()) return node_.args[*index];
  }
  // prim::ListUnpack and its like have no schema and one argument.
  if (!schema && node_.args.size() == 1) return node_.args.front();
  throw core::internal_error("[conversion] ", where(), " has no argument '", name, "'");
}

std::vector<Argument> OpContext::elements(std::string_view name) const {
  const Argument& list = argument(name);
  if (list.list()) return *list.list();
  const auto constant = known_constant(list);
  if (constant && constant->isList()) {
    std::vector<Argument> elements;
    for (const auto& element : constant->toListRef()) elements.emplace_back(element);
    return elements;
  }
  if (constant && constant->isNone()) return {};
  if (list.var() && !constant && list.var()->type->kind() == c10::TypeKind::ListType) {
    throw refuse("the list '", name, "' is known only at run time");
  }
  return {list};
}

std::optional<c10::IValue> OpContext::sample(std::string_view name) const {
  const Argument& arg = argument(name);
  if (const Var* var = arg.var()) {
    if (!var->fact) return std::nullopt;
    return var->fact->samples.front();
  }
  if (const auto* constant = arg.constant()) return *constant;
  return std::nullopt;
}

Value OpContext::constant(const at::Tensor& tensor) { return env_.constant(tensor); }

Value OpContext::value_of(const Argument& arg, std::string_view name) {
  if (const Var* var = arg.var(); var && env_.has(var)) {
    if (const auto* value = std::get_if<Value>(&env_.at(var))) return *value;
    throw refuse("argument '", name, "' is a list, expected a tensor");
  }
  const auto known = known_constant(arg);
  if (!known)
    throw core::internal_error("[conversion] ", where(), ": argument '", name, "' is not bound");
  if (known->isTensor()) return constant(known->toTensor());
  if (known->isInt()) return net().scalar_i64(known->toInt());
  if (known->isDouble()) return net().scalar(known->toDouble(), DType::f32);
  if (known->isBool()) return net().scalar(known->toBool(), DType::b);
  throw refuse("argument '", name, "' is a ", known->tagKind(), ", expected a tensor or a number");
}

Value OpContext::value(std::string_view name) { return value_of(argument(name), name); }

std::optional<Value> OpContext::optional(std::string_view name) {
  if (is_none(name)) return std::nullopt;
  return value(name);
}

std::vector<Value> OpContext::values(std::string_view name) {
  std::vector<Value> values;
  for (const auto& element : optional_values(name)) {
    if (!element) throw refuse("the list '", name, "' has a None element, expected tensors");
    values.push_back(*element);
  }
  return values;
}

std::vector<std::optional<Value>> OpContext::optional_values(std::string_view name) {
  std::vector<std::optional<Value>> values;
  if (const Var* var = argument(name).var(); var && env_.has(var)) {
    const Bound& bound = env_.at(var);
    if (const auto* list = std::get_if<std::vector<Value>>(&bound)) {
      values.assign(list->begin(), list->end());
    } else {
      values.emplace_back(std::get<Value>(bound));
    }
    return values;
  }
  for (const Argument& element : elements(name)) {
    const auto known = known_constant(element);
    const bool none =
        known && (known->isNone() || (known->isTensor() && !known->toTensor().defined()));
    values.push_back(none ? std::nullopt : std::optional(value_of(element, name)));
  }
  return values;
}

Value OpContext::promote(std::string_view name, c10::ScalarType type) {
  const auto dtype = to_core(type);
  if (!dtype) throw refuse("it computes in ", type, ", which no engine has");
  if (*dtype == DType::f64)
    throw refuse("it computes in float64, which no engine has; compute in float32 to convert it");
  const auto known = known_constant(argument(name));
  const bool bound = argument(name).var() && env_.has(argument(name).var());
  if (known && !bound) {
    if (known->isTensor()) {
      const at::Tensor tensor = known->toTensor();
      return constant(tensor.scalar_type() == type ? tensor : tensor.to(type));
    }
    if (known->isScalar() || known->isBool())
      return constant(at::scalar_tensor(known->toScalar(), type));
  }
  return net().cast(value(name), *dtype);
}

std::pair<Value, Value> OpContext::promoted(std::string_view a, std::string_view b) {
  const auto first = sample(a), second = sample(b);
  if (!first || !second) throw refuse("the types of '", a, "' and '", b, "' are not known");
  const auto is_number = [](const c10::IValue& v) {
    return v.isInt() || v.isDouble() || v.isBool();
  };
  c10::ScalarType type;
  if (first->isTensor() && second->isTensor()) {
    type = at::result_type(first->toTensor(), second->toTensor());
  } else if (first->isTensor() && is_number(*second)) {
    type = at::result_type(first->toTensor(), second->toScalar());
  } else if (is_number(*first) && second->isTensor()) {
    type = at::result_type(first->toScalar(), second->toTensor());
  } else if (is_number(*first) && is_number(*second)) {
    type = at::result_type(first->toScalar(), second->toScalar());
  } else {
    throw refuse("'", a, "' and '", b, "' are not tensors or numbers");
  }
  return {promote(a, type), promote(b, type)};
}

Value OpContext::as_result(Value x, std::size_t index) {
  return net().cast(x, result_dtype(index));
}

std::optional<at::Tensor> OpContext::constant_tensor(std::string_view name) {
  const auto known = known_constant(argument(name));
  if (!known || !known->isTensor() || !known->toTensor().defined()) return std::nullopt;
  return known->toTensor();
}

bool OpContext::is_none(std::string_view name) const {
  const auto known = known_constant(argument(name));
  return known && (known->isNone() || (known->isTensor() && !known->toTensor().defined()));
}

c10::IValue OpContext::known(std::string_view name, std::string_view expected) const {
  const auto constant = known_constant(argument(name));
  if (!constant)
    throw refuse("argument '", name, "' is known only at run time, expected ", expected,
                 " known at compile time");
  return *constant;
}

namespace {

/// Numbers, and 0-d tensors as traces have them.
std::optional<c10::Scalar> as_scalar(const c10::IValue& value) {
  if (value.isScalar() || value.isBool()) return value.toScalar();
  if (value.isTensor() && value.toTensor().defined() && value.toTensor().numel() == 1)
    return value.toTensor().item();
  return std::nullopt;
}

}  // namespace

c10::Scalar OpContext::scalar(std::string_view name) {
  const auto value = as_scalar(known(name, "a number"));
  if (!value) throw refuse("argument '", name, "' is not a number");
  return *value;
}

std::int64_t OpContext::integer(std::string_view name) {
  const auto value = scalar(name);
  if (value.isFloatingPoint())
    throw refuse("argument '", name, "' is ", value.toDouble(), ", expected an integer");
  return value.toLong();
}

double OpContext::number(std::string_view name) { return scalar(name).toDouble(); }

bool OpContext::flag(std::string_view name) { return scalar(name).toBool(); }

std::string OpContext::string(std::string_view name) {
  const auto value = known(name, "a string");
  if (!value.isString()) throw refuse("argument '", name, "' is not a string");
  return value.toStringRef();
}

std::vector<std::int64_t> OpContext::integers(std::string_view name) {
  std::vector<std::int64_t> result;
  for (const Argument& element : elements(name)) {
    const auto constant = known_constant(element);
    const auto value = constant ? as_scalar(*constant) : std::nullopt;
    if (!value)
      throw refuse(
          "the list '", name,
          "' has an element known only at run time, expected integers known at compile time");
    result.push_back(value->toLong());
  }
  return result;
}

std::vector<double> OpContext::numbers(std::string_view name) {
  std::vector<double> result;
  for (const Argument& element : elements(name)) {
    const auto constant = known_constant(element);
    const auto value = constant ? as_scalar(*constant) : std::nullopt;
    if (!value)
      throw refuse(
          "the list '", name,
          "' has an element known only at run time, expected numbers known at compile time");
    result.push_back(value->toDouble());
  }
  return result;
}

std::vector<bool> OpContext::flags(std::string_view name) {
  std::vector<bool> result;
  for (const std::int64_t value : integers(name)) result.push_back(value != 0);
  return result;
}

std::optional<std::int64_t> OpContext::optional_integer(std::string_view name) {
  if (is_none(name)) return std::nullopt;
  return integer(name);
}

std::optional<double> OpContext::optional_number(std::string_view name) {
  if (is_none(name)) return std::nullopt;
  return number(name);
}

std::vector<std::int64_t> OpContext::expanded(std::string_view name, std::size_t count) {
  auto values = integers(name);
  if (values.size() == 1) values.resize(count, values.front());
  if (values.size() != count)
    throw refuse("argument '", name, "' has ", values.size(), " elements, expected ", count);
  return values;
}

Window OpContext::window(std::size_t count, std::string_view kernel, std::string_view stride,
                         std::string_view padding, std::string_view dilation) {
  Window window;
  window.kernel = expanded(kernel, count);
  window.stride =
      is_none(stride) || integers(stride).empty() ? window.kernel : expanded(stride, count);
  window.padding = expanded(padding, count);
  window.dilation =
      dilation.empty() ? std::vector<std::int64_t>(count, 1) : expanded(dilation, count);
  return window;
}

Size OpContext::size_of(const Argument& arg, std::string_view name) {
  const auto constant = known_constant(arg);
  if (const auto value = constant ? as_scalar(*constant) : std::nullopt) return value->toLong();
  const Var* var = arg.var();
  if (!var || !env_.has(var))
    throw refuse("argument '", name, "' is not a size that an engine can compute");
  const auto* value = std::get_if<Value>(&env_.at(var));
  if (!value || value->rank() != 0) throw refuse("argument '", name, "' is not a scalar");
  return net().as_size(net().cast(*value, DType::i64));
}

Size OpContext::size(std::string_view name) { return size_of(argument(name), name); }

Sizes OpContext::sizes(std::string_view name) {
  Sizes sizes;
  if (const Var* var = argument(name).var(); var && env_.has(var)) {
    if (const auto* list = std::get_if<std::vector<Value>>(&env_.at(var))) {
      for (const Value& value : *list)
        sizes.push_back(net().as_size(net().cast(value, DType::i64)));
      return sizes;
    }
  }
  for (const Argument& element : elements(name)) sizes.push_back(size_of(element, name));
  return sizes;
}

std::optional<Size> OpContext::optional_size(std::string_view name) {
  if (is_none(name)) return std::nullopt;
  return size(name);
}

namespace {

std::optional<int> normalized(std::int64_t axis, int rank) {
  const int span = std::max(rank, 1);
  if (axis < -span || axis >= span) return std::nullopt;
  return static_cast<int>(axis < 0 ? axis + span : axis);
}

}  // namespace

int OpContext::axis(std::string_view name, int rank) {
  const std::int64_t given = integer(name);
  const auto axis = normalized(given, rank);
  if (!axis) {
    throw core::invalid_argument("[conversion] ", where(), ": ", name, " is ", given, ", expected ",
                                 -std::max(rank, 1), "..", std::max(rank, 1) - 1,
                                 " for a tensor of rank ", rank);
  }
  return *axis;
}

std::vector<std::int64_t> OpContext::axes(std::string_view name, int rank, bool empty_is_all) {
  std::vector<std::int64_t> result;
  for (const std::int64_t given : is_none(name) ? std::vector<std::int64_t>{} : integers(name)) {
    const auto axis = normalized(given, rank);
    if (!axis)
      throw core::invalid_argument("[conversion] ", where(), ": ", name, " has ", given,
                                   ", rank is ", rank);
    if (rank > 0) result.push_back(*axis);
  }
  if (result.empty() && empty_is_all) {
    for (int i = 0; i < rank; ++i) result.push_back(i);
  }
  std::sort(result.begin(), result.end());
  result.erase(std::unique(result.begin(), result.end()), result.end());
  return result;
}

DType OpContext::result_dtype(std::size_t index) {
  const auto known = tensor_type(*node_.outputs.at(index));
  if (!known.type) throw refuse(known.reason);
  if (known.type->dtype == DType::f64)
    throw refuse("it gives float64, which no engine computes in");
  return known.type->dtype;
}

std::optional<core::TensorType> OpContext::result_type(std::size_t index) {
  const Var& output = *node_.outputs.at(index);
  // Sizes that were seen for one number of many.
  if (output.fact && output.fact->speculative) return std::nullopt;
  return tensor_type(output).type;
}

}  // namespace torch_tensorrt::compiler
