#include "compiler/conversion/converters/compose.h"

#include <cmath>
#include <limits>
#include <numeric>

#include <ATen/core/Tensor.h>

#include "compiler/conversion/converters/layout.h"

namespace torch_tensorrt::compiler {

// ---- arguments ----

Value operand(OpContext& op, std::string_view name) {
  const Value x = op.value(name);
  const DType to = op.result_dtype();
  if (x.dtype() == to) return x;
  // A number is cast here: the network keeps no casts of constants.
  const std::optional<at::Tensor> number = constant_data(x);
  if (number && number->numel() == 1) return op.constant(number->to(to_torch(to)));
  return op.net().cast(x, to);
}

bool has_argument(OpContext& op, std::string_view name) {
  const c10::FunctionSchema* schema = op.node().schema();
  return schema && schema->argumentIndexWithName(name).has_value();
}

bool flag_if_any(OpContext& op, std::string_view name) {
  return has_argument(op, name) && op.flag(name);
}

core::Ints axes_of(OpContext& op, Value x) {
  if (x.rank() == 0 || !has_argument(op, "dim")) return all_axes(x);
  if (known_scalar(op, "dim")) return {op.axis("dim", x.rank())};
  return op.axes("dim", x.rank());
}

std::optional<c10::Scalar> known_scalar(OpContext& op, std::string_view name) {
  if (!has_argument(op, name)) return std::nullopt;
  const auto index = static_cast<std::size_t>(*op.node().schema()->argumentIndexWithName(name));
  const std::optional<c10::IValue> known = known_constant(op.node().args.at(index));
  if (!known || !known->isScalar()) return std::nullopt;
  return known->toScalar();
}

Value scaled(OpContext& op, Value x, std::string_view factor) {
  const double number = op.number(factor);
  return number == 1 ? x : x * number;
}

// ---- pointwise ----

double greatest_finite(DType dtype) {
  switch (dtype) {
    case DType::f16:
      return 65504;
    case DType::bf16:
      return std::ldexp(255, 120);
    default:
      return std::numeric_limits<float>::max();
  }
}

Value truncated(Value x) {
  if (!core::is_float(x.dtype())) return x;
  return unary(UnaryOp::sign, x) * unary(UnaryOp::floor, unary(UnaryOp::abs, x));
}

Value expm1(Value x) {
  // exp(x) - 1 cancels near 0; there it is 2t / (1 - t) with t = tanh(x / 2).
  const Value t = activation(ActivationOp::tanh, x * 0.5);
  const Value near = t * 2 / (like(t, 1) - t);
  const Value far = unary(UnaryOp::exp, x) - 1;
  return select(compare(CompareOp::lt, unary(UnaryOp::abs, x), 0.5), near, far);
}

Value log1p(Value x) {
  // 1 + x rounds; log(u) * x / (u - 1) with the rounded u cancels the error.
  const Value u = x + 1;
  const Value log = unary(UnaryOp::log, u);
  const Value step = u - 1;
  const Value exact = compare(CompareOp::eq, step, 0);
  const Value near = select(exact, x, log * x / select(exact, like(x, 1), step));
  return select(compare(CompareOp::lt, unary(UnaryOp::abs, x), 0.5), near, log);
}

Value greater_of(Value a, Value b) {
  if (a.dtype() == DType::b) return logical(LogicalOp::logical_or, a, b);
  return binary(BinaryOp::max, a, b);
}

Value lesser_of(Value a, Value b) {
  if (a.dtype() == DType::b) return logical(LogicalOp::logical_and, a, b);
  return binary(BinaryOp::min, a, b);
}

Value clipped(Value x, double low, double high) {
  if (core::is_float(x.dtype()) && low <= high) return activation(ActivationOp::clip, x, low, high);
  return binary(BinaryOp::min, binary(BinaryOp::max, x, like(x, low)), like(x, high));
}

// ---- reductions ----

core::Ints all_axes(Value x) {
  core::Ints axes(static_cast<std::size_t>(x.rank()));
  std::iota(axes.begin(), axes.end(), 0);
  return axes;
}

Size count_along(Value x, const core::Ints& axes) {
  auto& net = x.builder();
  Size count = std::int64_t{1};
  for (const std::int64_t axis : axes) count = net.mul(count, net.size(x, static_cast<int>(axis)));
  return count;
}

Value size_as(core::NetworkBuilder& net, const Size& size, DType dtype) {
  if (const auto* number = std::get_if<std::int64_t>(&size)) {
    return net.scalar(static_cast<double>(*number), dtype);
  }
  return net.cast(net.value(size), dtype);
}

Value vector_norm(Value x, double p, const core::Ints& axes, bool keepdims) {
  auto& net = x.builder();
  const Value magnitude = unary(UnaryOp::abs, x);
  if (p == std::numeric_limits<double>::infinity()) {
    return net.reduce(ReduceOp::max, magnitude, axes, keepdims);
  }
  if (p == -std::numeric_limits<double>::infinity()) {
    return net.reduce(ReduceOp::min, magnitude, axes, keepdims);
  }
  const auto sum = [&](Value terms) { return net.reduce(ReduceOp::sum, terms, axes, keepdims); };
  if (p == 0) return sum(net.cast(compare(CompareOp::ne, x, 0), x.dtype()));
  if (p == 1) return sum(magnitude);
  if (p == 2) return unary(UnaryOp::sqrt, sum(x * x));
  const Value total = sum(binary(BinaryOp::pow, magnitude, like(x, p)));
  return binary(BinaryOp::pow, total, like(total, 1 / p));
}

Moments moments(Value x, const core::Ints& axes, double correction) {
  auto& net = x.builder();
  const Value mean = net.reduce(ReduceOp::mean, x, axes, true);
  const Value deviation = x - mean;
  const Value squares = deviation * deviation;
  if (correction == 0) return {mean, net.reduce(ReduceOp::mean, squares, axes, true)};
  const Value sum = net.reduce(ReduceOp::sum, squares, axes, true);
  const Size count = count_along(x, axes);
  if (const auto* number = std::get_if<std::int64_t>(&count)) {
    return {mean, sum / std::max(static_cast<double>(*number) - correction, 0.0)};
  }
  const Value freedom = size_as(net, count, x.dtype()) - correction;
  return {mean, sum / binary(BinaryOp::max, freedom, like(freedom, 0))};
}

Value without_axes(Value x, const core::Ints& axes, bool keepdims) {
  return keepdims || axes.empty() ? x : x.builder().squeeze(x, axes);
}

Value log_sum_exp(Value x, const core::Ints& axes) {
  auto& net = x.builder();
  const Value top = net.reduce(ReduceOp::max, x, axes, true);
  // inf - inf is NaN: an infinite maximum is not subtracted.
  const Value shift = select(unary(UnaryOp::isinf, top), like(top, 0), top);
  const Value sum = net.reduce(ReduceOp::sum, unary(UnaryOp::exp, x - shift), axes, true);
  return unary(UnaryOp::log, sum) + shift;
}

// ---- products and norms ----

Value matrix_product(OpContext& op, Value a, Value b) {
  auto& net = op.net();
  if (a.rank() == 0 || b.rank() == 0) {
    throw op.refuse("operands have ", a.rank(), " and ", b.rank(),
                    " dimensions, expected at least 1");
  }
  if (!core::is_float(a.dtype()) || a.dtype() != b.dtype()) {
    throw op.refuse("operands are ", core::name(a.dtype()), " and ", core::name(b.dtype()),
                    ", expected one floating type");
  }
  const bool row = a.rank() == 1, column = b.rank() == 1;
  if (row) a = net.unsqueeze(a, {0});
  if (column) b = net.unsqueeze(b, {1});
  const int rank = std::max(a.rank(), b.rank());
  const Value product = net.matmul(net.align_rank(a, rank), net.align_rank(b, rank));
  core::Ints gone;
  if (row) gone.push_back(product.rank() - 2);
  if (column) gone.push_back(product.rank() - 1);
  return without_axes(product, gone, false);
}

Value linear_layer(Value x, Value weight, std::optional<Value> bias) {
  auto& net = x.builder();
  const bool row = x.rank() == 1, column = weight.rank() == 1;
  if (row) x = net.unsqueeze(x, {0});
  if (column) weight = net.unsqueeze(weight, {0});
  Value y = net.matmul(x, net.align_rank(weight, x.rank()), false, true);
  if (column) y = net.squeeze(y, {y.rank() - 1});
  if (row) y = net.squeeze(y, {0});
  return bias ? y + *bias : y;
}

Value layer_norm(Value x, int axes, std::optional<Value> weight, std::optional<Value> bias,
                 double eps) {
  auto& net = x.builder();
  std::vector<Value> inputs = {x};
  const auto affine = [&](const std::optional<Value>& factor) {
    return factor ? net.cast(net.align_rank(*factor, x.rank()), x.dtype()) : Value();
  };
  inputs.push_back(affine(weight));
  inputs.push_back(affine(bias));
  return net.add(core::LayerNorm{.first_axis = x.rank() - axes, .eps = eps}, inputs).front();
}

}  // namespace torch_tensorrt::compiler
