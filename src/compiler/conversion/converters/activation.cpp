#include <cmath>

#include "compiler/conversion/converters/compose.h"

namespace torch_tensorrt::compiler {
namespace {

template <ActivationOp kOp>
Value pointwise(OpContext& op) {
  return op.net().activation(kOp, operand(op));
}

Value gelu(OpContext& op) {
  const std::string approximate = op.string("approximate");
  if (approximate == "none") return activation(ActivationOp::gelu_erf, operand(op));
  if (approximate == "tanh") return activation(ActivationOp::gelu_tanh, operand(op));
  throw op.refuse("approximate is '", approximate, "', expected 'none' or 'tanh'");
}

Value relu6(OpContext& op) { return clipped(op.value("self"), 0, 6); }

Value hardtanh(OpContext& op) {
  return clipped(op.value("self"), op.number("min_val"), op.number("max_val"));
}

Value hardsigmoid(OpContext& op) {
  return activation(ActivationOp::hard_sigmoid, operand(op), 1.0 / 6, 0.5);
}

Value leaky_relu(OpContext& op) {
  return activation(ActivationOp::leaky_relu, operand(op), op.number("negative_slope"));
}

/// scale * (x above 0, alpha * (exp(input_scale * x) - 1) below).
Value exponential_unit(Value x, double alpha, double scale, double input_scale) {
  const Value zero = like(x, 0);
  const Value below = expm1(binary(BinaryOp::min, x, zero) * input_scale) * (alpha * scale);
  return activation(ActivationOp::relu, x) * scale + below;
}

Value elu(OpContext& op) {
  const Value x = operand(op);
  const double alpha = op.number("alpha");
  const double scale = op.number("scale");
  const double input_scale = op.number("input_scale");
  if (input_scale != 1) return exponential_unit(x, alpha, scale, input_scale);
  const Value y = activation(ActivationOp::elu, x, alpha);
  return scale == 1 ? y : y * scale;
}

Value celu(OpContext& op) {
  const Value x = operand(op);
  const double alpha = op.number("alpha");
  if (alpha == 1) return activation(ActivationOp::elu, x, 1);
  return exponential_unit(x, alpha, 1, 1 / alpha);
}

Value softplus(OpContext& op) {
  const Value x = operand(op);
  const double beta = op.number("beta");
  const double threshold = op.number("threshold");
  const Value y = activation(ActivationOp::softplus, x, 0, beta);
  // From 20 on, log(1 + e^x) is x in float32, so the threshold changes nothing.
  if (threshold >= 20) return y;
  return select(compare(CompareOp::gt, x * beta, threshold), x, y);
}

Value log_sigmoid(OpContext& op) {
  const Value x = operand(op);
  const Value y = activation(ActivationOp::softplus, unary(UnaryOp::neg, x), 0, 1);
  return unary(UnaryOp::neg, y);
}

Value glu(OpContext& op) {
  auto& net = op.net();
  const Value x = op.value("self");
  const int axis = op.axis("dim", x.rank());
  const Size half = net.floor_div(net.size(x, axis), std::int64_t{2});
  const Value gate = net.slice(x, axis, half, half);
  return net.slice(x, axis, std::int64_t{0}, half) * activation(ActivationOp::sigmoid, gate);
}

Value threshold(OpContext& op) {
  const Value x = op.value("self");
  return select(compare(CompareOp::le, x, op.number("threshold")), like(x, op.number("value")), x);
}

Value softshrink(OpContext& op) {
  const Value x = op.value("self");
  const double lambda = op.number("lambd");
  return x - clipped(x, -lambda, lambda);
}

Value hardshrink(OpContext& op) {
  const Value x = op.value("self");
  const Value small = compare(CompareOp::le, unary(UnaryOp::abs, x), op.number("lambd"));
  return select(small, like(x, 0), x);
}

/// The weight has one element, or one per channel (axis 1).
Value prelu(OpContext& op) {
  auto& net = op.net();
  const Value x = op.value("self");
  const Value weight = net.cast(op.value("weight"), x.dtype());
  Sizes shape(static_cast<std::size_t>(x.rank()), Size(std::int64_t{1}));
  if (weight.rank() > 0 && x.rank() > 1) shape[1] = net.size(weight, 0);
  return net.one(core::PRelu{}, {x, net.reshape(weight, shape)});
}

/// The weight has been given a shape that broadcasts already.
Value prelu_kernel(OpContext& op) {
  const Value x = op.value("self");
  const Value weight = op.net().cast(op.value("weight"), x.dtype());
  return op.net().one(core::PRelu{}, {x, op.net().align_rank(weight, x.rank())});
}

Value rrelu(OpContext& op) {
  if (op.flag("training")) throw op.refuse("training is True; its slopes are random");
  const double slope = (op.number("lower") + op.number("upper")) / 2;
  return activation(ActivationOp::leaky_relu, op.value("self"), slope);
}

std::vector<Bound> rrelu_with_noise(OpContext& op) { return {rrelu(op), op.value("noise")}; }

Value logit(OpContext& op) {
  Value x = operand(op);
  if (const auto eps = op.optional_number("eps")) x = clipped(x, *eps, 1 - *eps);
  return unary(UnaryOp::log, x / (like(x, 1) - x));
}

// ---- softmax ----

/// fn(x, axis) where x of rank 0 counts as one element.
template <typename Fn>
Value along_axis(OpContext& op, Fn fn) {
  const Value x = operand(op);
  const int axis = op.axis("dim", x.rank());
  if (x.rank() > 0) return fn(x, axis);
  return op.net().squeeze(fn(op.net().unsqueeze(x, {0}), 0), {0});
}

Value softmax(OpContext& op) {
  return along_axis(op, [&](Value x, int axis) { return op.net().softmax(x, axis); });
}

Value log_softmax(OpContext& op) {
  return along_axis(op, [&](Value x, int axis) { return op.net().log_softmax(x, axis); });
}

/// Rows of nothing but -inf give 0.
Value safe_softmax(OpContext& op) {
  return along_axis(op, [&](Value x, int axis) {
    const Value attends = compare(CompareOp::ne, x, -INFINITY);
    const Value y = op.net().softmax(x, axis);
    return select(op.net().reduce(ReduceOp::any, attends, {axis}, true), y, like(y, 0));
  });
}

}  // namespace

void add_activation_ops(OpTable& table) {
  table.add<pointwise<ActivationOp::relu>>("aten::relu(Tensor self) -> Tensor");
  table.add<pointwise<ActivationOp::sigmoid>>("aten::sigmoid(Tensor self) -> Tensor")
      .also("aten::special_expit");
  table.add<pointwise<ActivationOp::tanh>>("aten::tanh(Tensor self) -> Tensor");
  table.add<pointwise<ActivationOp::selu>>("aten::selu(Tensor self) -> Tensor");
  table.add<pointwise<ActivationOp::silu>>("aten::silu(Tensor self) -> Tensor");
  table.add<pointwise<ActivationOp::mish>>("aten::mish(Tensor self) -> Tensor");
  table.add<pointwise<ActivationOp::hard_swish>>("aten::hardswish(Tensor self) -> Tensor");
  table.add<gelu>("aten::gelu(Tensor self, *, str approximate=\"none\") -> Tensor");
  table.add<relu6>("aten::relu6(Tensor self) -> Tensor");
  table.add<hardtanh>("aten::hardtanh(Tensor self, Scalar min_val=-1, Scalar max_val=1) -> Tensor");
  table.add<hardsigmoid>("aten::hardsigmoid(Tensor self) -> Tensor");
  table.add<leaky_relu>("aten::leaky_relu(Tensor self, Scalar negative_slope=0.01) -> Tensor");
  table.add<elu>(
      "aten::elu(Tensor self, Scalar alpha=1, Scalar scale=1, Scalar input_scale=1) -> Tensor");
  table.add<celu>("aten::celu(Tensor self, Scalar alpha=1.) -> Tensor");
  table.add<softplus>("aten::softplus(Tensor self, Scalar beta=1, Scalar threshold=20) -> Tensor");
  table.add<log_sigmoid>("aten::log_sigmoid(Tensor self) -> Tensor");
  table.add<glu>("aten::glu(Tensor self, int dim=-1) -> Tensor");
  table.add<threshold>("aten::threshold(Tensor self, Scalar threshold, Scalar value) -> Tensor");
  table.add<softshrink>("aten::softshrink(Tensor self, Scalar lambd=0.5) -> Tensor");
  table.add<hardshrink>("aten::hardshrink(Tensor self, Scalar lambd=0.5) -> Tensor");
  table.add<prelu>("aten::prelu(Tensor self, Tensor weight) -> Tensor");
  table.add<prelu_kernel>("aten::_prelu_kernel(Tensor self, Tensor weight) -> Tensor");
  table
      .add<rrelu>(
          "aten::rrelu(Tensor self, Scalar lower=0.125, Scalar upper=0.33333333333333331, bool "
          "training=False, Generator? generator=None) -> Tensor")
      .also("aten::rrelu_with_noise");
  table.add(
      "aten::rrelu_with_noise_functional(Tensor self, Tensor noise, Scalar lower=0.125, Scalar "
      "upper=0.33333333333333331, bool training=False, Generator? generator=None) -> (Tensor, "
      "Tensor noise_out)",
      rrelu_with_noise);
  table.add<logit>("aten::logit(Tensor self, float? eps=None) -> Tensor")
      .also("aten::special_logit");

  table.add<softmax>("aten::softmax.int(Tensor self, int dim, ScalarType? dtype=None) -> Tensor")
      .also("aten::special_softmax")
      .also("aten::_softmax");
  table
      .add<log_softmax>(
          "aten::log_softmax.int(Tensor self, int dim, ScalarType? dtype=None) -> Tensor")
      .also("aten::special_log_softmax")
      .also("aten::_log_softmax");
  table.add<safe_softmax>(
      "aten::_safe_softmax(Tensor self, int dim, ScalarType? dtype=None) -> Tensor");
}

}  // namespace torch_tensorrt::compiler
