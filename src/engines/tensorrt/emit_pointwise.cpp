#include <algorithm>
#include <array>
#include <limits>

#include "engines/tensorrt/emit.h"

namespace torch_tensorrt::engines::tensorrt {

namespace {

constexpr auto kUnary = std::to_array<std::string_view>(
    {"ABS",  "NEG",   "SIGN",  "EXP",  "LOG",  "SQRT",  "RECIP", "SIN",   "COS",
     "TAN",  "ASIN",  "ACOS",  "ATAN", "SINH", "COSH",  "ASINH", "ACOSH", "ATANH",
     "CEIL", "FLOOR", "ROUND", "ERF",  "NOT",  "ISNAN", "ISINF"});
static_assert(kUnary.size() == core::enum_names<core::UnaryOp>.size());

/// a - trunc(a / b) b has the sign of a; DIV truncates on integers only.
Tensor fmod(const Site& site, const Tensor& a, const Tensor& b) {
  Writer& net = site.net();
  Tensor quotient = net.div(a, b);
  if (is_float(a.dtype)) {
    const Tensor is_negative = net.elementwise("LESS", quotient, net.number_like(0, quotient));
    quotient = net.select(is_negative, net.unary("CEIL", quotient), net.unary("FLOOR", quotient));
  }
  return net.sub(a, net.mul(quotient, b));
}

/// An open end of a range: TensorRT wants numbers.
double bounded(double limit) {
  constexpr double most = std::numeric_limits<float>::max();
  return std::clamp(limit, -most, most);
}

Tensor compare(Writer& net, core::CompareOp op, const Tensor& a, const Tensor& b) {
  using core::CompareOp;
  switch (op) {
    case CompareOp::eq:
      return net.elementwise("EQUAL", a, b);
    case CompareOp::ne:
      return net.negate_bool(net.elementwise("EQUAL", a, b));
    case CompareOp::lt:
      return net.elementwise("LESS", a, b);
    case CompareOp::gt:
      return net.elementwise("GREATER", a, b);
    // Not the opposite's opposite: that is true for NaN.
    case CompareOp::le:
      return net.elementwise("OR", net.elementwise("LESS", a, b), net.elementwise("EQUAL", a, b));
    case CompareOp::ge:
      return net.elementwise("OR", net.elementwise("GREATER", a, b),
                             net.elementwise("EQUAL", a, b));
  }
  return {};
}

}  // namespace

Tensors emit(const core::Unary& layer, const Site& site) {
  const bool on_floats = layer.op != core::UnaryOp::abs && layer.op != core::UnaryOp::neg &&
                         layer.op != core::UnaryOp::sign && layer.op != core::UnaryOp::logical_not;
  if (on_floats && !is_float(site.dtype()))
    throw site.refuse("takes f32, f16 and bf16, not ", core::name(site.dtype()));
  return {site.net().unary(kUnary.at(static_cast<std::size_t>(layer.op)), site.in(0))};
}

Tensors emit(const core::Activation& layer, const Site& site) {
  using core::ActivationOp;
  Writer& net = site.net();
  const Tensor& x = site.in(0);
  const double alpha = layer.alpha, beta = layer.beta;
  switch (layer.op) {
    case ActivationOp::relu:
      // On integers it is refused where it computes a shape.
      if (!is_float(x.dtype)) return {net.elementwise("MAX", x, net.number_like(0, x))};
      return {net.activation("RELU", x)};
    case ActivationOp::sigmoid:
      return {net.activation("SIGMOID", x)};
    case ActivationOp::tanh:
      return {net.activation("TANH", x)};
    case ActivationOp::leaky_relu:
      return {net.activation("LEAKY_RELU", x, alpha)};
    case ActivationOp::elu:
      return {net.activation("ELU", x, alpha)};
    case ActivationOp::selu:
      return {net.activation("SELU", x, 1.6732632423543772, 1.0507009873554805)};
    case ActivationOp::softsign:
      return {net.activation("SOFTSIGN", x)};
    case ActivationOp::softplus:
      // alpha log(e^(beta x) + 1)
      return {net.activation("SOFTPLUS", x, 1 / beta, beta)};
    case ActivationOp::clip:
      return {net.activation("CLIP", x, bounded(alpha), bounded(beta))};
    case ActivationOp::hard_sigmoid:
      return {net.activation("HARD_SIGMOID", x, alpha, beta)};
    case ActivationOp::scaled_tanh:
      return {net.activation("SCALED_TANH", x, alpha, beta)};
    case ActivationOp::thresholded_relu:
      return {net.activation("THRESHOLDED_RELU", x, alpha)};
    case ActivationOp::gelu_erf:
      return {net.activation("GELU_ERF", x)};
    case ActivationOp::gelu_tanh:
      return {net.activation("GELU_TANH", x)};
    case ActivationOp::silu:
      return {net.mul(x, net.activation("SIGMOID", x))};
    case ActivationOp::mish:
      return {net.mul(x, net.activation("TANH", net.activation("SOFTPLUS", x, 1, 1)))};
    case ActivationOp::hard_swish:
      return {net.mul(x, net.activation("HARD_SIGMOID", x, 1.0 / 6, 0.5))};
  }
  return {};
}

Tensors emit(const core::PRelu&, const Site& site) {
  const Tensor &x = site.in(0), &slope = site.in(1);
  const Ref layer = site.net().add("add_parametric_relu", {x.ref, slope.ref});
  return {site.net().output(layer, x.dtype, x.dims)};
}

Tensors emit(const core::Binary& layer, const Site& site) {
  using core::BinaryOp;
  Writer& net = site.net();
  const Tensor &a = site.in(0), &b = site.in(1);
  switch (layer.op) {
    case BinaryOp::add:
      return {net.add(a, b)};
    case BinaryOp::sub:
      return {net.sub(a, b)};
    case BinaryOp::mul:
      return {net.mul(a, b)};
    case BinaryOp::div:
      return {net.div(a, b)};
    case BinaryOp::floor_div:
      return {net.elementwise("FLOOR_DIV", a, b)};
    case BinaryOp::max:
      return {net.elementwise("MAX", a, b)};
    case BinaryOp::min:
      return {net.elementwise("MIN", a, b)};
    case BinaryOp::pow:
      return {net.elementwise("POW", a, b)};
    case BinaryOp::fmod:
      return {fmod(site, a, b)};
    case BinaryOp::remainder:
      return {net.sub(a, net.mul(net.elementwise("FLOOR_DIV", a, b), b))};
  }
  return {};
}

Tensors emit(const core::Compare& layer, const Site& site) {
  Writer& net = site.net();
  Tensor a = site.in(0), b = site.in(1);
  const bool orders = layer.op != core::CompareOp::eq && layer.op != core::CompareOp::ne;
  if (orders && a.dtype == DType::b) {
    a = net.cast(a, DType::i32);
    b = net.cast(b, DType::i32);
  }
  return {compare(net, layer.op, a, b)};
}

Tensors emit(const core::Logical& layer, const Site& site) {
  using core::LogicalOp;
  const std::string_view operation = layer.op == LogicalOp::logical_and  ? "AND"
                                     : layer.op == LogicalOp::logical_or ? "OR"
                                                                         : "XOR";
  return {site.net().elementwise(operation, site.in(0), site.in(1))};
}

Tensors emit(const core::Select&, const Site& site) {
  return {site.net().select(site.in(0), site.in(1), site.in(2))};
}

Tensors emit(const core::Cast& layer, const Site& site) {
  if (layer.to == DType::f64) throw site.refuse("TensorRT has no float64");
  const Tensor result = site.net().cast(site.in(0), layer.to);
  return {result.ref == site.in(0).ref ? site.net().identity(result) : result};
}

Tensors emit(const core::Identity&, const Site& site) { return {site.net().identity(site.in(0))}; }

}  // namespace torch_tensorrt::engines::tensorrt
