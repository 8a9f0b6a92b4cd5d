#include <ATen/ATen.h>

#include "core/error.h"
#include "engines/reference/layers.h"

namespace torch_tensorrt::engines::reference {

using core::ActivationOp;
using core::BinaryOp;
using core::CompareOp;
using core::LogicalOp;
using core::UnaryOp;

Tensors evaluate(const core::Unary& layer, const Call& call) {
  const at::Tensor& x = call[0];
  switch (layer.op) {
    case UnaryOp::abs:
      return {at::abs(x)};
    case UnaryOp::neg:
      return {at::neg(x)};
    case UnaryOp::sign:
      return {at::sign(x)};
    case UnaryOp::exp:
      return {at::exp(x)};
    case UnaryOp::log:
      return {at::log(x)};
    case UnaryOp::sqrt:
      return {at::sqrt(x)};
    case UnaryOp::recip:
      return {at::reciprocal(x)};
    case UnaryOp::sin:
      return {at::sin(x)};
    case UnaryOp::cos:
      return {at::cos(x)};
    case UnaryOp::tan:
      return {at::tan(x)};
    case UnaryOp::asin:
      return {at::asin(x)};
    case UnaryOp::acos:
      return {at::acos(x)};
    case UnaryOp::atan:
      return {at::atan(x)};
    case UnaryOp::sinh:
      return {at::sinh(x)};
    case UnaryOp::cosh:
      return {at::cosh(x)};
    case UnaryOp::asinh:
      return {at::asinh(x)};
    case UnaryOp::acosh:
      return {at::acosh(x)};
    case UnaryOp::atanh:
      return {at::atanh(x)};
    case UnaryOp::ceil:
      return {at::ceil(x)};
    case UnaryOp::floor:
      return {at::floor(x)};
    case UnaryOp::round:
      return {at::round(x)};
    case UnaryOp::erf:
      return {at::erf(x)};
    case UnaryOp::logical_not:
      return {at::logical_not(x)};
    case UnaryOp::isnan:
      return {at::isnan(x)};
    case UnaryOp::isinf:
      return {at::isinf(x)};
  }
  throw core::internal_error("reference: unary op ", static_cast<int>(layer.op), " is unknown");
}

Tensors evaluate(const core::Activation& layer, const Call& call) {
  const at::Tensor& x = call[0];
  const double alpha = layer.alpha;
  const double beta = layer.beta;
  switch (layer.op) {
    case ActivationOp::relu:
      return {at::relu(x)};
    case ActivationOp::sigmoid:
      return {at::sigmoid(x)};
    case ActivationOp::tanh:
      return {at::tanh(x)};
    case ActivationOp::leaky_relu:
      return {at::leaky_relu(x, alpha)};
    case ActivationOp::elu:
      return {at::elu(x, alpha)};
    case ActivationOp::selu:
      return {at::selu(x)};
    case ActivationOp::softsign:
      return {x / (at::abs(x) + 1)};
    case ActivationOp::softplus:
      return {at::softplus(x, beta)};
    case ActivationOp::clip:
      return {at::clamp(x, alpha, beta)};
    case ActivationOp::hard_sigmoid:
      return {at::clamp(x * alpha + beta, 0, 1)};
    case ActivationOp::scaled_tanh:
      return {at::tanh(x * beta) * alpha};
    case ActivationOp::thresholded_relu:
      return {at::threshold(x, alpha, 0)};
    case ActivationOp::gelu_erf:
      return {at::gelu(x, "none")};
    case ActivationOp::gelu_tanh:
      return {at::gelu(x, "tanh")};
    case ActivationOp::silu:
      return {at::silu(x)};
    case ActivationOp::mish:
      return {at::mish(x)};
    case ActivationOp::hard_swish:
      return {at::hardswish(x)};
  }
  throw core::internal_error("reference: activation op ", static_cast<int>(layer.op),
                             " is unknown");
}

Tensors evaluate(const core::PRelu&, const Call& call) {
  return {at::where(call[0] > 0, call[0], call[0] * call[1])};
}

Tensors evaluate(const core::Binary& layer, const Call& call) {
  const at::Tensor& a = call[0];
  const at::Tensor& b = call[1];
  switch (layer.op) {
    case BinaryOp::add:
      return {at::add(a, b)};
    case BinaryOp::sub:
      return {at::sub(a, b)};
    case BinaryOp::mul:
      return {at::mul(a, b)};
    case BinaryOp::div:
      return {a.is_floating_point() ? at::div(a, b) : at::div(a, b, "trunc")};
    case BinaryOp::floor_div:
      return {at::floor_divide(a, b)};
    case BinaryOp::max:
      return {at::maximum(a, b)};
    case BinaryOp::min:
      return {at::minimum(a, b)};
    case BinaryOp::pow:
      return {at::pow(a, b)};
    case BinaryOp::fmod:
      return {at::fmod(a, b)};
    case BinaryOp::remainder:
      return {at::remainder(a, b)};
  }
  throw core::internal_error("reference: binary op ", static_cast<int>(layer.op), " is unknown");
}

Tensors evaluate(const core::Compare& layer, const Call& call) {
  const at::Tensor& a = call[0];
  const at::Tensor& b = call[1];
  switch (layer.op) {
    case CompareOp::eq:
      return {at::eq(a, b)};
    case CompareOp::ne:
      return {at::ne(a, b)};
    case CompareOp::lt:
      return {at::lt(a, b)};
    case CompareOp::le:
      return {at::le(a, b)};
    case CompareOp::gt:
      return {at::gt(a, b)};
    case CompareOp::ge:
      return {at::ge(a, b)};
  }
  throw core::internal_error("reference: compare op ", static_cast<int>(layer.op), " is unknown");
}

Tensors evaluate(const core::Logical& layer, const Call& call) {
  switch (layer.op) {
    case LogicalOp::logical_and:
      return {at::logical_and(call[0], call[1])};
    case LogicalOp::logical_or:
      return {at::logical_or(call[0], call[1])};
    case LogicalOp::logical_xor:
      return {at::logical_xor(call[0], call[1])};
  }
  throw core::internal_error("reference: logical op ", static_cast<int>(layer.op), " is unknown");
}

Tensors evaluate(const core::Select&, const Call& call) {
  return {at::where(call[0], call[1], call[2])};
}

Tensors evaluate(const core::Cast& layer, const Call& call) {
  return {call[0].to(scalar_type(layer.to))};
}

Tensors evaluate(const core::Identity&, const Call& call) { return {call[0]}; }

}  // namespace torch_tensorrt::engines::reference
