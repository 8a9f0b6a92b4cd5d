#include <cmath>
#include <numbers>

#include "compiler/conversion/converters/compose.h"

namespace torch_tensorrt::compiler {
namespace {

template <UnaryOp kOp>
Value pointwise(OpContext& op) {
  return op.net().unary(kOp, operand(op));
}

/// Rounding leaves integers as they are.
template <UnaryOp kOp>
Value rounded(OpContext& op) {
  const Value x = op.value("self");
  return core::is_float(x.dtype()) ? op.net().unary(kOp, x) : x;
}

Value positive(OpContext& op) { return op.value("self"); }

Value sign(OpContext& op) {
  const Value x = op.value("self");
  return x.dtype() == DType::b ? x : unary(UnaryOp::sign, x);
}

Value signbit(OpContext& op) {
  const Value x = op.value("self");
  if (!core::is_float(x.dtype())) return compare(CompareOp::lt, x, 0);
  // 1 / -0 is -inf: the only negative reciprocal of a number that is not below 0.
  return logical(LogicalOp::logical_or, compare(CompareOp::lt, x, 0),
                 compare(CompareOp::lt, unary(UnaryOp::recip, x), 0));
}

Value exp2(OpContext& op) {
  const Value x = operand(op);
  return binary(BinaryOp::pow, like(x, 2), x);
}

Value exp_minus_one(OpContext& op) { return expm1(operand(op)); }
Value log_one_plus(OpContext& op) { return log1p(operand(op)); }
Value log2(OpContext& op) { return unary(UnaryOp::log, operand(op)) * std::numbers::log2e; }
Value log10(OpContext& op) { return unary(UnaryOp::log, operand(op)) * std::numbers::log10e; }
Value rsqrt(OpContext& op) { return unary(UnaryOp::recip, unary(UnaryOp::sqrt, operand(op))); }

Value erfc(OpContext& op) {
  const Value x = operand(op);
  return like(x, 1) - unary(UnaryOp::erf, x);
}

Value sinc(OpContext& op) {
  const Value x = operand(op) * std::numbers::pi;
  const Value zero = compare(CompareOp::eq, x, 0);
  const Value divisor = select(zero, like(x, 1), x);
  return select(zero, like(x, 1), unary(UnaryOp::sin, x) / divisor);
}

Value deg2rad(OpContext& op) { return operand(op) * (std::numbers::pi / 180); }
Value rad2deg(OpContext& op) { return operand(op) * (180 / std::numbers::pi); }

Value square(OpContext& op) {
  const Value x = operand(op);
  return x * x;
}

Value trunc(OpContext& op) { return truncated(op.value("self")); }

Value frac(OpContext& op) {
  const Value x = op.value("self");
  return x - truncated(x);
}

Value round_decimals(OpContext& op) {
  const Value x = op.value("self");
  if (!core::is_float(x.dtype())) return x;
  const std::int64_t decimals = op.integer("decimals");
  if (decimals == 0) return unary(UnaryOp::round, x);
  const double scale = std::pow(10.0, static_cast<double>(std::abs(decimals)));
  return decimals > 0 ? unary(UnaryOp::round, x * scale) / scale
                      : unary(UnaryOp::round, x / scale) * scale;
}

/// -x log(x), 0 at 0, -inf below.
Value entropy(OpContext& op) {
  const Value x = operand(op);
  const Value zero = compare(CompareOp::eq, x, 0);
  const Value terms = unary(UnaryOp::neg, x * unary(UnaryOp::log, select(zero, like(x, 1), x)));
  return select(compare(CompareOp::lt, x, 0), like(x, -INFINITY), terms);
}

}  // namespace

void add_unary_ops(OpTable& table) {
  table.add<pointwise<UnaryOp::abs>>("aten::abs(Tensor self) -> Tensor").also("aten::absolute");
  table.add<pointwise<UnaryOp::neg>>("aten::neg(Tensor self) -> Tensor").also("aten::negative");
  table.add<sign>("aten::sign(Tensor self) -> Tensor").also("aten::sgn");
  table.add<signbit>("aten::signbit(Tensor self) -> Tensor");
  table.add<pointwise<UnaryOp::exp>>("aten::exp(Tensor self) -> Tensor");
  table.add<exp2>("aten::exp2(Tensor self) -> Tensor").also("aten::special_exp2");
  table.add<exp_minus_one>("aten::expm1(Tensor self) -> Tensor").also("aten::special_expm1");
  table.add<pointwise<UnaryOp::log>>("aten::log(Tensor self) -> Tensor");
  table.add<log2>("aten::log2(Tensor self) -> Tensor");
  table.add<log10>("aten::log10(Tensor self) -> Tensor");
  table.add<log_one_plus>("aten::log1p(Tensor self) -> Tensor").also("aten::special_log1p");
  table.add<pointwise<UnaryOp::sqrt>>("aten::sqrt(Tensor self) -> Tensor");
  table.add<rsqrt>("aten::rsqrt(Tensor self) -> Tensor");
  table.add<pointwise<UnaryOp::recip>>("aten::reciprocal(Tensor self) -> Tensor");
  table.add<square>("aten::square(Tensor self) -> Tensor");
  table.add<positive>("aten::positive(Tensor(a) self) -> Tensor(a)");

  table.add<pointwise<UnaryOp::sin>>("aten::sin(Tensor self) -> Tensor");
  table.add<pointwise<UnaryOp::cos>>("aten::cos(Tensor self) -> Tensor");
  table.add<pointwise<UnaryOp::tan>>("aten::tan(Tensor self) -> Tensor");
  table.add<pointwise<UnaryOp::asin>>("aten::asin(Tensor self) -> Tensor").also("aten::arcsin");
  table.add<pointwise<UnaryOp::acos>>("aten::acos(Tensor self) -> Tensor").also("aten::arccos");
  table.add<pointwise<UnaryOp::atan>>("aten::atan(Tensor self) -> Tensor").also("aten::arctan");
  table.add<pointwise<UnaryOp::sinh>>("aten::sinh(Tensor self) -> Tensor");
  table.add<pointwise<UnaryOp::cosh>>("aten::cosh(Tensor self) -> Tensor");
  table.add<pointwise<UnaryOp::asinh>>("aten::asinh(Tensor self) -> Tensor").also("aten::arcsinh");
  table.add<pointwise<UnaryOp::acosh>>("aten::acosh(Tensor self) -> Tensor").also("aten::arccosh");
  table.add<pointwise<UnaryOp::atanh>>("aten::atanh(Tensor self) -> Tensor").also("aten::arctanh");
  table.add<sinc>("aten::sinc(Tensor self) -> Tensor").also("aten::special_sinc");
  table.add<deg2rad>("aten::deg2rad(Tensor self) -> Tensor");
  table.add<rad2deg>("aten::rad2deg(Tensor self) -> Tensor");

  table.add<rounded<UnaryOp::ceil>>("aten::ceil(Tensor self) -> Tensor");
  table.add<rounded<UnaryOp::floor>>("aten::floor(Tensor self) -> Tensor");
  table.add<rounded<UnaryOp::round>>("aten::round(Tensor self) -> Tensor");
  table.add<round_decimals>("aten::round.decimals(Tensor self, *, int decimals) -> Tensor")
      .also("aten::special_round");
  table.add<trunc>("aten::trunc(Tensor self) -> Tensor").also("aten::fix");
  table.add<frac>("aten::frac(Tensor self) -> Tensor");

  table.add<pointwise<UnaryOp::erf>>("aten::erf(Tensor self) -> Tensor").also("aten::special_erf");
  table.add<erfc>("aten::erfc(Tensor self) -> Tensor").also("aten::special_erfc");
  table.add<entropy>("aten::special_entr(Tensor self) -> Tensor");
}

}  // namespace torch_tensorrt::compiler
