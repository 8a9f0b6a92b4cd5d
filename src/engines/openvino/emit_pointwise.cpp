// Sources and pointwise layers.

#include <algorithm>
#include <numbers>

#include "core/error.h"
#include "engines/openvino/emit.h"

namespace torch_tensorrt::engines::openvino {

using core::ActivationOp;
using core::BinaryOp;
using core::CompareOp;
using core::DType;
using core::LogicalOp;
using core::UnaryOp;

namespace {

/// Below it every integer is exact in f32.
constexpr std::int64_t kExactInts = 1 << 24;

bool is_constant(const Out& x) { return ov::is_type<op::v0::Constant>(x.get_node()); }

bool is_zero(const Out& x) {
  const auto* constant = ov::as_type<const op::v0::Constant>(x.get_node());
  if (!constant || shape_size(constant->get_shape()) != 1) return false;
  return constant->cast_vector<double>().front() == 0;
}

bool is_wide_int(const Out& x) {
  return x.get_element_type() == ov::element::i64 || x.get_element_type() == ov::element::i32;
}

/// `largest` or `smallest`. OpenVINO returns the second operand when one is NaN; PyTorch returns
/// NaN.
template <typename Op>
Out extremum(const Out& a, const Out& b) {
  if (!a.get_element_type().is_real() || is_constant(a)) return make<Op>(a, b);
  if (is_constant(b)) return make<Op>(b, a);
  return select(make<op::v10::IsNaN>(a), a, make<Op>(a, b));
}

/// Whether host arithmetic keeps the integers of both operands where f32 is exact.
bool is_small(const Site& site) {
  const auto small = [&](std::size_t i) {
    const core::Content* content = site.network().content(site.node().inputs[i]);
    return content && std::ranges::all_of(*content, [](const core::Extent& e) {
             return e.min > -kExactInts && e.max < kExactInts;
           });
  };
  return small(0) && small(1);
}

/// Quotient toward zero and what it leaves. OpenVINO divides integers in f32: right up to 2^24, and
/// beyond after the remainder of a first guess has been divided once more and the last unit
/// settled.
struct Division {
  Out quotient, rest;
};
Division divide_ints(const Out& a, const Out& b, bool small) {
  if (small) {
    const Out quotient = div(a, b);
    return {quotient, sub(a, mul(quotient, b))};
  }
  const auto type = a.get_element_type();
  const Out size_a = make<op::v0::Abs>(a);
  const Out size_b = make<op::v0::Abs>(b);
  const auto rest_of = [&](const Out& quotient) { return sub(size_a, mul(quotient, size_b)); };
  Out quotient = div(size_a, size_b);
  quotient = add(quotient, div(rest_of(quotient), size_b));
  const Out rest = rest_of(quotient);
  const Out zero = number_like(0, a);
  const Out too_small = convert(make<op::v1::LessEqual>(zero, sub(rest, size_b)), type);
  const Out too_large = convert(make<op::v1::Less>(rest, zero), type);
  quotient = sub(add(quotient, too_small), too_large);
  quotient = mul(quotient, mul(make<op::v0::Sign>(a), make<op::v0::Sign>(b)));
  return {quotient, sub(a, mul(quotient, b))};
}

/// Whether truncation went past the floor: something is left, and not of the divisor's sign.
Out above_floor(const Division& division, const Out& b) {
  return make<op::v1::Less>(mul(make<op::v0::Sign>(division.rest), make<op::v0::Sign>(b)),
                            number_like(0, b));
}

Out divide(BinaryOp operation, const Out& a, const Out& b, bool small) {
  const Division division = divide_ints(a, b, small);
  if (operation == BinaryOp::div) return division.quotient;
  if (operation == BinaryOp::fmod) return division.rest;
  const Out adjust = above_floor(division, b);
  if (operation == BinaryOp::floor_div) {
    return sub(division.quotient, convert(adjust, a.get_element_type()));
  }
  return add(division.rest, mul(convert(adjust, a.get_element_type()), b));
}

/// A whole small power as products: Power computes in f32.
Out power(const Out& a, const Out& b) {
  const auto* exponent = ov::as_type<const op::v0::Constant>(b.get_node());
  if (is_wide_int(a) && exponent && shape_size(exponent->get_shape()) == 1) {
    const auto count = exponent->cast_vector<std::int64_t>().front();
    if (count == 2) return mul(a, a);
    if (count == 3) return mul(mul(a, a), a);
  }
  return make<op::v1::Power>(a, b);
}

Out softplus(const Out& x, double beta) {
  if (beta == 1) return make<op::v4::SoftPlus>(x);
  return div(make<op::v4::SoftPlus>(mul(x, number_like(beta, x))), number_like(beta, x));
}

/// selu's constants, as PyTorch has them.
constexpr double kSeluAlpha = 1.6732632423543772848170429916717;
constexpr double kSeluScale = 1.0507009873554804934193349852946;

}  // namespace

Outs emit(const core::ShapeOf&, const Site& site) { return {make<op::v3::ShapeOf>(site.in(0))}; }

Outs emit(const core::Range&, const Site& site) {
  const Out start = site.in(0);
  const Out step = site.in(1);
  const Out steps = counting(site.in(2), start.get_element_type());
  return {add(start, mul(steps, step))};
}

Outs emit(const core::Random& layer, const Site& site) {
  const auto f32 = ov::element::f32;
  const auto seed = static_cast<std::uint64_t>(layer.seed);
  const auto uniform = [&](double low, double high, std::uint64_t stream) {
    return make<op::v8::RandomUniform>(site.in(0), number(low, f32), number(high, f32), f32, seed,
                                       stream);
  };
  const auto type = element_type(layer.dtype);
  if (layer.distribution == core::RandomKind::uniform)
    return {convert(uniform(layer.a, layer.b, 1), type)};
  // Box-Muller; 1 - u keeps the logarithm's argument above 0.
  const Out u = sub(number(1, f32), uniform(0, 1, 1));
  const Out radius = make<op::v0::Sqrt>(mul(number(-2, f32), make<op::v0::Log>(u)));
  const Out angle = mul(number(2 * std::numbers::pi, f32), uniform(0, 1, 2));
  const Out normal = mul(radius, make<op::v0::Cos>(angle));
  return {convert(add(mul(normal, number(layer.b, f32)), number(layer.a, f32)), type)};
}

Outs emit(const core::Unary& layer, const Site& site) {
  const Out x = site.in(0);
  switch (layer.op) {
    case UnaryOp::abs:
      return {make<op::v0::Abs>(x)};
    case UnaryOp::neg:
      return {make<op::v0::Negative>(x)};
    case UnaryOp::sign:
      return {make<op::v0::Sign>(x)};
    case UnaryOp::exp:
      // Exp makes infinity of NaN; the selection is fused with it and costs nothing measurable.
      return {select(make<op::v10::IsNaN>(x), x, make<op::v0::Exp>(x))};
    case UnaryOp::log:
      return {make<op::v0::Log>(x)};
    case UnaryOp::sqrt:
      return {make<op::v0::Sqrt>(x)};
    case UnaryOp::recip:
      return {div(number_like(1, x), x)};
    case UnaryOp::sin:
      return {make<op::v0::Sin>(x)};
    case UnaryOp::cos:
      return {make<op::v0::Cos>(x)};
    case UnaryOp::tan:
      return {make<op::v0::Tan>(x)};
    case UnaryOp::asin:
      return {make<op::v0::Asin>(x)};
    case UnaryOp::acos:
      return {make<op::v0::Acos>(x)};
    case UnaryOp::atan:
      return {make<op::v0::Atan>(x)};
    case UnaryOp::sinh:
      return {make<op::v0::Sinh>(x)};
    case UnaryOp::cosh:
      return {make<op::v0::Cosh>(x)};
    case UnaryOp::asinh:
      return {make<op::v3::Asinh>(x)};
    case UnaryOp::acosh:
      return {make<op::v3::Acosh>(x)};
    case UnaryOp::atanh:
      return {make<op::v3::Atanh>(x)};
    case UnaryOp::ceil:
      return {make<op::v0::Ceiling>(x)};
    case UnaryOp::floor:
      return {make<op::v0::Floor>(x)};
    case UnaryOp::round:
      return {make<op::v5::Round>(x, op::v5::Round::RoundMode::HALF_TO_EVEN)};
    case UnaryOp::erf:
      return {make<op::v0::Erf>(x)};
    case UnaryOp::logical_not:
      return {make<op::v1::LogicalNot>(x)};
    case UnaryOp::isnan:
      return {make<op::v10::IsNaN>(x)};
    case UnaryOp::isinf:
      return {make<op::v10::IsInf>(x)};
  }
  throw core::internal_error("openvino: unknown unary operation");
}

Outs emit(const core::Activation& layer, const Site& site) {
  const Out x = site.in(0);
  const auto type = x.get_element_type();
  const double alpha = layer.alpha;
  const double beta = layer.beta;
  switch (layer.op) {
    case ActivationOp::relu:
      // On integers Relu computes in f32.
      return {type.is_real() ? make<op::v0::Relu>(x) : make<op::v1::Maximum>(x, number_like(0, x))};
    case ActivationOp::sigmoid:
      return {make<op::v0::Sigmoid>(x)};
    case ActivationOp::tanh:
      return {make<op::v0::Tanh>(x)};
    case ActivationOp::leaky_relu:
      return {make<op::v0::PRelu>(x, reshape(number(alpha, type), {1}))};
    case ActivationOp::elu:
      return {make<op::v0::Elu>(x, alpha)};
    case ActivationOp::selu:
      return {make<op::v0::Selu>(x, number(kSeluAlpha, type), number(kSeluScale, type))};
    case ActivationOp::softsign:
      return {make<op::v9::SoftSign>(x)};
    case ActivationOp::softplus:
      return {softplus(x, beta)};
    case ActivationOp::clip:
      return {make<op::v0::Clamp>(x, alpha, beta)};
    case ActivationOp::hard_sigmoid:
      return {make<op::v0::HardSigmoid>(x, number(alpha, type), number(beta, type))};
    case ActivationOp::scaled_tanh:
      return {mul(number_like(alpha, x), make<op::v0::Tanh>(mul(x, number_like(beta, x))))};
    case ActivationOp::thresholded_relu:
      return {select(make<op::v1::LessEqual>(x, number_like(alpha, x)), number_like(0, x), x)};
    case ActivationOp::gelu_erf:
      return {make<op::v7::Gelu>(x, op::GeluApproximationMode::ERF)};
    case ActivationOp::gelu_tanh:
      return {make<op::v7::Gelu>(x, op::GeluApproximationMode::TANH)};
    case ActivationOp::silu:
      return {make<op::v4::Swish>(x)};
    case ActivationOp::mish:
      return {make<op::v4::Mish>(x)};
    case ActivationOp::hard_swish:
      return {make<op::v4::HSwish>(x)};
  }
  throw core::internal_error("openvino: unknown activation");
}

Outs emit(const core::PRelu&, const Site& site) {
  const Out x = site.in(0);
  const Out slope = site.in(1);
  // PRelu puts a slope of rank 1 along axis 1, which a vector does not have.
  if (site.rank() == 1) return {select(make<op::v1::Less>(x, number_like(0, x)), mul(x, slope), x)};
  return {make<op::v0::PRelu>(x, slope)};
}

Outs emit(const core::Binary& layer, const Site& site) {
  const Out a = site.in(0);
  const Out b = site.in(1);
  const bool ints = is_wide_int(a);
  switch (layer.op) {
    case BinaryOp::add:
      return {add(a, b)};
    case BinaryOp::sub:
      return {sub(a, b)};
    case BinaryOp::mul:
      for (const std::size_t product : {0u, 1u}) {
        if (const auto scaled = with_scaled_weights(site, product)) return {*scaled};
      }
      return {mul(a, b)};
    case BinaryOp::div:
      return {ints ? divide(layer.op, a, b, is_small(site)) : div(a, b)};
    case BinaryOp::floor_div:
      return {ints ? divide(layer.op, a, b, is_small(site)) : make<op::v0::Floor>(div(a, b))};
    case BinaryOp::max:
      return {extremum<op::v1::Maximum>(a, b)};
    case BinaryOp::min:
      return {extremum<op::v1::Minimum>(a, b)};
    case BinaryOp::pow:
      return {power(a, b)};
    case BinaryOp::fmod:
      return {ints ? divide(layer.op, a, b, is_small(site)) : make<op::v1::Mod>(a, b)};
    case BinaryOp::remainder:
      return {ints ? divide(layer.op, a, b, is_small(site)) : make<op::v1::FloorMod>(a, b)};
  }
  throw core::internal_error("openvino: unknown binary operation");
}

Outs emit(const core::Compare& layer, const Site& site) {
  Out a = site.in(0);
  Out b = site.in(1);
  // Integers are compared in f32: only the difference is exact beyond 2^24.
  if (is_wide_int(a) && !is_zero(b)) {
    a = sub(a, b);
    b = number_like(0, a);
  }
  // Greater and GreaterEqual answer true on NaN: less, with the operands swapped.
  switch (layer.op) {
    case CompareOp::eq:
      return {make<op::v1::Equal>(a, b)};
    case CompareOp::ne:
      return {make<op::v1::NotEqual>(a, b)};
    case CompareOp::lt:
      return {make<op::v1::Less>(a, b)};
    case CompareOp::le:
      return {make<op::v1::LessEqual>(a, b)};
    case CompareOp::gt:
      return {make<op::v1::Less>(b, a)};
    case CompareOp::ge:
      return {make<op::v1::LessEqual>(b, a)};
  }
  throw core::internal_error("openvino: unknown comparison");
}

Outs emit(const core::Logical& layer, const Site& site) {
  const Out a = site.in(0);
  const Out b = site.in(1);
  switch (layer.op) {
    case LogicalOp::logical_and:
      return {make<op::v1::LogicalAnd>(a, b)};
    case LogicalOp::logical_or:
      return {make<op::v1::LogicalOr>(a, b)};
    case LogicalOp::logical_xor:
      return {make<op::v1::LogicalXor>(a, b)};
  }
  throw core::internal_error("openvino: unknown logical operation");
}

Outs emit(const core::Select&, const Site& site) {
  return {select(site.in(0), site.in(1), site.in(2))};
}

Outs emit(const core::Cast& layer, const Site& site) {
  const Out x = site.in(0);
  // Convert to boolean makes NaN false.
  if (layer.to == DType::b && site.dtype() != DType::b)
    return {make<op::v1::NotEqual>(x, number_like(0, x))};
  return {convert(x, element_type(layer.to))};
}

Outs emit(const core::Identity&, const Site& site) { return {site.in(0)}; }

Outs emit(const core::Assert&, const Site& site) { return {site.in(0)}; }

}  // namespace torch_tensorrt::engines::openvino
