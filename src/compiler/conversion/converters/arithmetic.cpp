#include <cmath>
#include <numbers>

#include "compiler/conversion/converters/compose.h"
#include "compiler/conversion/converters/selection.h"

namespace torch_tensorrt::compiler {
namespace {

struct Pair {
  Value self, other;
};

/// Both operands in the result's dtype.
Pair operands(OpContext& op) { return {operand(op), operand(op, "other")}; }

Value add(OpContext& op) {
  const auto [self, other] = operands(op);
  if (self.dtype() == DType::b) return logical(LogicalOp::logical_or, self, other);
  return self + scaled(op, other, "alpha");
}

Value sub(OpContext& op) {
  const auto [self, other] = operands(op);
  return self - scaled(op, other, "alpha");
}

Value rsub(OpContext& op) {
  const auto [self, other] = operands(op);
  return other - scaled(op, self, "alpha");
}

Value mul(OpContext& op) {
  const auto [self, other] = operands(op);
  if (self.dtype() == DType::b) return logical(LogicalOp::logical_and, self, other);
  return self * other;
}

/// True division: integers have become f32.
Value div(OpContext& op) {
  const auto [self, other] = operands(op);
  return self / other;
}

Value div_mode(OpContext& op) {
  if (op.is_none("rounding_mode")) return div(op);
  const std::string mode = op.string("rounding_mode");
  const auto [self, other] = operands(op);
  if (mode == "floor") return binary(BinaryOp::floor_div, self, other);
  if (mode == "trunc") return truncated(self / other);
  throw op.refuse("rounding_mode is '", mode, "', expected 'floor' or 'trunc'");
}

template <BinaryOp kOp>
Value pointwise(OpContext& op) {
  const auto [self, other] = operands(op);
  return op.net().binary(kOp, self, other);
}

// ---- powers ----

/// x^n for small n, by squaring.
Value integer_power(Value x, std::int64_t n) {
  if (n == 1) return x;
  const Value half = integer_power(x, n / 2);
  return n % 2 == 0 ? half * half : half * half * x;
}

/// x^n; the exponents that models use become multiplications and roots.
Value power(Value x, double n) {
  constexpr double kMostMultiplied = 8;
  if (n == 0) return like(x, 1) + x * 0;
  if (n == std::floor(n) && 0 < n && n <= kMostMultiplied) {
    return integer_power(x, static_cast<std::int64_t>(n));
  }
  if (!core::is_float(x.dtype())) return binary(BinaryOp::pow, x, like(x, n));
  if (n == -1) return unary(UnaryOp::recip, x);
  if (n == -2) return unary(UnaryOp::recip, x * x);
  if (n == 0.5) return unary(UnaryOp::sqrt, x);
  if (n == -0.5) return unary(UnaryOp::recip, unary(UnaryOp::sqrt, x));
  return binary(BinaryOp::pow, x, like(x, n));
}

Value pow(OpContext& op) {
  const Value x = operand(op);
  const auto known = known_scalar(op, "exponent");
  if (known && !known->isComplex()) return power(x, known->toDouble());
  return binary(BinaryOp::pow, x, operand(op, "exponent"));
}

Value ldexp(OpContext& op) {
  const auto [self, other] = operands(op);
  return self * binary(BinaryOp::pow, like(other, 2), other);
}

// ---- extremes ----

Value maximum(OpContext& op) {
  const auto [self, other] = operands(op);
  return greater_of(self, other);
}

Value minimum(OpContext& op) {
  const auto [self, other] = operands(op);
  return lesser_of(self, other);
}

/// The other operand where one is NaN.
template <Value (*Fn)(Value, Value)>
Value numbers_first(OpContext& op) {
  const auto [self, other] = operands(op);
  const Value chosen = Fn(self, other);
  if (!core::is_float(self.dtype())) return chosen;
  return select(unary(UnaryOp::isnan, self), other,
                select(unary(UnaryOp::isnan, other), self, chosen));
}

/// One bound of a clamp; x itself where the bound is None.
Value bounded(OpContext& op, Value x, std::string_view name, BinaryOp kOp) {
  const std::optional<Value> bound = op.optional(name);
  return bound ? binary(kOp, x, op.as_result(*bound)) : x;
}

Value clamp(OpContext& op) {
  const Value x = operand(op);
  const auto low = known_scalar(op, "min"), high = known_scalar(op, "max");
  if (core::is_float(x.dtype()) && low && high && low->toDouble() <= high->toDouble()) {
    return clipped(x, low->toDouble(), high->toDouble());
  }
  return bounded(op, bounded(op, x, "min", BinaryOp::max), "max", BinaryOp::min);
}

Value clamp_min(OpContext& op) { return bounded(op, operand(op), "min", BinaryOp::max); }

Value clamp_max(OpContext& op) { return bounded(op, operand(op), "max", BinaryOp::min); }

// ---- compositions ----

Value lerp(OpContext& op) {
  const Value self = op.value("self");
  const Value weight = operand(op, "weight");
  return self + weight * (op.value("end") - self);
}

Value addcmul(OpContext& op) {
  const Value product = operand(op, "tensor1") * operand(op, "tensor2");
  return operand(op) + scaled(op, product, "value");
}

Value addcdiv(OpContext& op) {
  const Value quotient = operand(op, "tensor1") / operand(op, "tensor2");
  return operand(op) + scaled(op, quotient, "value");
}

Value atan2(OpContext& op) {
  const auto [y, x] = operands(op);
  const Value zero = compare(CompareOp::eq, x, 0);
  const Value angle = unary(UnaryOp::atan, y / select(zero, like(x, 1), x));
  const Value turn =
      select(compare(CompareOp::ge, y, 0), like(y, std::numbers::pi), like(y, -std::numbers::pi));
  const Value left = select(compare(CompareOp::lt, x, 0), angle + turn, angle);
  return select(zero, unary(UnaryOp::sign, y) * (std::numbers::pi / 2), left);
}

/// Scaled by the greater leg, so that squares do not overflow.
Value hypot(OpContext& op) {
  const auto [self, other] = operands(op);
  const Value a = unary(UnaryOp::abs, self), b = unary(UnaryOp::abs, other);
  const Value longer = binary(BinaryOp::max, a, b), shorter = binary(BinaryOp::min, a, b);
  const Value divisor = select(compare(CompareOp::eq, longer, 0), like(longer, 1), longer);
  const Value ratio = shorter / divisor;
  return longer * unary(UnaryOp::sqrt, ratio * ratio + 1);
}

/// self * log, 0 where self is 0 and other is a number.
Value times_log(Value self, Value other, Value log) {
  const Value zero = compare(CompareOp::eq, self, 0);
  const Value number = unary(UnaryOp::logical_not, unary(UnaryOp::isnan, other));
  const Value product = self * log;
  return select(logical(LogicalOp::logical_and, zero, number), like(product, 0), product);
}

Value xlogy(OpContext& op) {
  const auto [self, other] = operands(op);
  return times_log(self, other, unary(UnaryOp::log, other));
}

Value xlog1py(OpContext& op) {
  const auto [self, other] = operands(op);
  return times_log(self, other, log1p(other));
}

/// log(e^a + e^b); equal operands, infinite ones included, differ by nothing.
Value log_add_exp(Value a, Value b) {
  const Value distance = unary(UnaryOp::abs, a - b);
  const Value rest = activation(ActivationOp::softplus, unary(UnaryOp::neg, distance), 0, 1);
  return select(a.builder().compare(CompareOp::eq, a, b), a + std::numbers::ln2,
                binary(BinaryOp::max, a, b) + rest);
}

Value logaddexp(OpContext& op) {
  const auto [self, other] = operands(op);
  return log_add_exp(self, other);
}

Value logaddexp2(OpContext& op) {
  const auto [self, other] = operands(op);
  return log_add_exp(self * std::numbers::ln2, other * std::numbers::ln2) * std::numbers::log2e;
}

Value copysign(OpContext& op) {
  const auto [self, other] = operands(op);
  const Value magnitude = unary(UnaryOp::abs, self);
  // 1 / -0 is -inf: the only negative reciprocal of a number that is not below 0.
  const Value negative = logical(LogicalOp::logical_or, compare(CompareOp::lt, other, 0),
                                 compare(CompareOp::lt, unary(UnaryOp::recip, other), 0));
  return select(negative, unary(UnaryOp::neg, magnitude), magnitude);
}

Value heaviside(OpContext& op) {
  const Value x = op.value("self");
  const Value step = op.net().cast(compare(CompareOp::gt, x, 0), x.dtype());
  return select(compare(CompareOp::eq, x, 0), operand(op, "values"), step);
}

// ---- bits ----

/// On bools; integers have no bitwise layer.
template <LogicalOp kOp>
Value bitwise(OpContext& op) {
  const auto [self, other] = operands(op);
  if (self.dtype() != DType::b) {
    throw op.refuse("operands are ", core::name(self.dtype()),
                    ", expected bool; engines have no bitwise integer arithmetic");
  }
  return logical(kOp, self, other);
}

Value bitwise_not(OpContext& op) {
  const Value x = op.value("self");
  if (x.dtype() == DType::b) return unary(UnaryOp::logical_not, x);
  if (x.dtype() == DType::u8) return like(x, 255) - x;
  return unary(UnaryOp::neg, x) - 1;
}

Value shift_factor(OpContext& op, Value x) {
  const std::int64_t places = op.integer("other");
  if (places < 0 || places > 30) throw op.refuse("other is ", places, ", expected 0..30");
  return op.net().scalar_i64(std::int64_t{1} << places, x.dtype(), x.rank());
}

Value shift_left(OpContext& op) {
  const Value x = op.value("self");
  return x * shift_factor(op, x);
}

Value shift_right(OpContext& op) {
  const Value x = op.value("self");
  return binary(BinaryOp::floor_div, x, shift_factor(op, x));
}

void add_binary_ops(OpTable& table) {
  table.add<add>("aten::add.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor")
      .also("aten::add.Scalar");
  table.add<sub>("aten::sub.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor")
      .also("aten::sub.Scalar")
      .also("aten::subtract.Tensor")
      .also("aten::subtract.Scalar");
  table.add<rsub>("aten::rsub.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor")
      .also("aten::rsub.Scalar");
  table.add<mul>("aten::mul.Tensor(Tensor self, Tensor other) -> Tensor")
      .also("aten::mul.Scalar")
      .also("aten::multiply.Tensor")
      .also("aten::multiply.Scalar");
  table.add<div>("aten::div.Tensor(Tensor self, Tensor other) -> Tensor")
      .also("aten::div.Scalar")
      .also("aten::divide.Tensor")
      .also("aten::divide.Scalar")
      .also("aten::true_divide.Tensor")
      .also("aten::true_divide.Scalar");
  table
      .add<div_mode>(
          "aten::div.Tensor_mode(Tensor self, Tensor other, *, str? rounding_mode) -> Tensor")
      .also("aten::div.Scalar_mode")
      .also("aten::divide.Tensor_mode")
      .also("aten::divide.Scalar_mode");
  table
      .add<pointwise<BinaryOp::floor_div>>(
          "aten::floor_divide(Tensor self, Tensor other) -> Tensor")
      .also("aten::floor_divide.Scalar");
  table
      .add<pointwise<BinaryOp::remainder>>(
          "aten::remainder.Tensor(Tensor self, Tensor other) -> Tensor")
      .also("aten::remainder.Scalar")
      .also("aten::remainder.Scalar_Tensor");
  table.add<pointwise<BinaryOp::fmod>>("aten::fmod.Tensor(Tensor self, Tensor other) -> Tensor")
      .also("aten::fmod.Scalar");
  table.add<pow>("aten::pow.Tensor_Scalar(Tensor self, Scalar exponent) -> Tensor")
      .also("aten::pow.Tensor_Tensor")
      .also("aten::pow.Scalar");
  table.add<ldexp>("aten::ldexp.Tensor(Tensor self, Tensor other) -> Tensor");
}

void add_extreme_ops(OpTable& table) {
  table.add<maximum>("aten::maximum(Tensor self, Tensor other) -> Tensor").also("aten::max.other");
  table.add<minimum>("aten::minimum(Tensor self, Tensor other) -> Tensor").also("aten::min.other");
  table.add<numbers_first<greater_of>>("aten::fmax(Tensor self, Tensor other) -> Tensor");
  table.add<numbers_first<lesser_of>>("aten::fmin(Tensor self, Tensor other) -> Tensor");
  table.add<clamp>("aten::clamp(Tensor self, Scalar? min=None, Scalar? max=None) -> Tensor")
      .also("aten::clamp.Tensor")
      .also("aten::clip")
      .also("aten::clip.Tensor");
  table.add<clamp_min>("aten::clamp_min(Tensor self, Scalar min) -> Tensor")
      .also("aten::clamp_min.Tensor");
  table.add<clamp_max>("aten::clamp_max(Tensor self, Scalar max) -> Tensor")
      .also("aten::clamp_max.Tensor");
}

void add_composed_ops(OpTable& table) {
  table.add<lerp>("aten::lerp.Tensor(Tensor self, Tensor end, Tensor weight) -> Tensor")
      .also("aten::lerp.Scalar");
  table.add<addcmul>(
      "aten::addcmul(Tensor self, Tensor tensor1, Tensor tensor2, *, Scalar value=1) -> Tensor");
  table.add<addcdiv>(
      "aten::addcdiv(Tensor self, Tensor tensor1, Tensor tensor2, *, Scalar value=1) -> Tensor");
  table.add<atan2>("aten::atan2(Tensor self, Tensor other) -> Tensor").also("aten::arctan2");
  table.add<hypot>("aten::hypot(Tensor self, Tensor other) -> Tensor");
  table.add<xlogy>("aten::xlogy.Tensor(Tensor self, Tensor other) -> Tensor")
      .also("aten::xlogy.Scalar_Self")
      .also("aten::xlogy.Scalar_Other")
      .also("aten::special_xlogy")
      .also("aten::special_xlogy.self_scalar")
      .also("aten::special_xlogy.other_scalar");
  table.add<xlog1py>("aten::special_xlog1py(Tensor self, Tensor other) -> Tensor")
      .also("aten::special_xlog1py.self_scalar")
      .also("aten::special_xlog1py.other_scalar");
  table.add<logaddexp>("aten::logaddexp(Tensor self, Tensor other) -> Tensor");
  table.add<logaddexp2>("aten::logaddexp2(Tensor self, Tensor other) -> Tensor");
  table.add<copysign>("aten::copysign.Tensor(Tensor self, Tensor other) -> Tensor")
      .also("aten::copysign.Scalar");
  table.add<heaviside>("aten::heaviside(Tensor self, Tensor values) -> Tensor");
}

void add_bitwise_ops(OpTable& table) {
  table
      .add<bitwise<LogicalOp::logical_and>>(
          "aten::bitwise_and.Tensor(Tensor self, Tensor other) -> Tensor")
      .also("aten::bitwise_and.Scalar")
      .also("aten::bitwise_and.Scalar_Tensor")
      .also("aten::__and__.Tensor")
      .also("aten::__and__.Scalar");
  table
      .add<bitwise<LogicalOp::logical_or>>(
          "aten::bitwise_or.Tensor(Tensor self, Tensor other) -> Tensor")
      .also("aten::bitwise_or.Scalar")
      .also("aten::bitwise_or.Scalar_Tensor")
      .also("aten::__or__.Tensor")
      .also("aten::__or__.Scalar");
  table
      .add<bitwise<LogicalOp::logical_xor>>(
          "aten::bitwise_xor.Tensor(Tensor self, Tensor other) -> Tensor")
      .also("aten::bitwise_xor.Scalar")
      .also("aten::bitwise_xor.Scalar_Tensor")
      .also("aten::__xor__.Tensor")
      .also("aten::__xor__.Scalar");
  table.add<bitwise_not>("aten::bitwise_not(Tensor self) -> Tensor");
  table
      .add<shift_left>(
          "aten::bitwise_left_shift.Tensor_Scalar(Tensor self, Scalar other) -> Tensor")
      .also("aten::__lshift__.Scalar");
  table
      .add<shift_right>(
          "aten::bitwise_right_shift.Tensor_Scalar(Tensor self, Scalar other) -> Tensor")
      .also("aten::__rshift__.Scalar");
}

}  // namespace

void add_arithmetic_ops(OpTable& table) {
  add_binary_ops(table);
  add_extreme_ops(table);
  add_composed_ops(table);
  add_bitwise_ops(table);
  add_selection_ops(table);
}

}  // namespace torch_tensorrt::compiler
