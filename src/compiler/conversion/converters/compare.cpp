#include <limits>

#include "compiler/conversion/converters/compose.h"
#include "compiler/conversion/converters/layout.h"

namespace torch_tensorrt::compiler {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

template <CompareOp kOp>
Value comparison(OpContext& op) {
  auto& net = op.net();
  auto [self, other] = op.promoted("self", "other");
  if (self.dtype() == DType::b && kOp != CompareOp::eq && kOp != CompareOp::ne) {
    self = net.cast(self, DType::i32);
    other = net.cast(other, DType::i32);
  }
  return net.compare(kOp, self, other);
}

template <LogicalOp kOp>
Value connective(OpContext& op) {
  return op.net().logical(kOp, as_bool(op.value("self")), as_bool(op.value("other")));
}

Value logical_not(OpContext& op) { return unary(UnaryOp::logical_not, as_bool(op.value("self"))); }

// ---- kinds of numbers ----

/// The same answer for every element of x.
Value everywhere(Value x, bool answer) {
  return expanded(x.builder().scalar(answer ? 1 : 0, DType::b), x.builder().sizes(x));
}

template <UnaryOp kOp>
Value is_special(OpContext& op) {
  const Value x = op.value("self");
  return core::is_float(x.dtype()) ? unary(kOp, x) : everywhere(x, false);
}

Value is_finite(Value x) {
  if (!core::is_float(x.dtype())) return everywhere(x, true);
  const Value special =
      logical(LogicalOp::logical_or, unary(UnaryOp::isnan, x), unary(UnaryOp::isinf, x));
  return unary(UnaryOp::logical_not, special);
}

Value isfinite(OpContext& op) { return is_finite(op.value("self")); }

Value isposinf(OpContext& op) {
  const Value x = op.value("self");
  return core::is_float(x.dtype()) ? compare(CompareOp::eq, x, kInfinity) : everywhere(x, false);
}

Value isneginf(OpContext& op) {
  const Value x = op.value("self");
  return core::is_float(x.dtype()) ? compare(CompareOp::eq, x, -kInfinity) : everywhere(x, false);
}

Value isreal(OpContext& op) { return everywhere(op.value("self"), true); }

/// a == b, or both finite and |a - b| <= atol + rtol |b|.
Value isclose(OpContext& op) {
  auto& net = op.net();
  auto [a, b] = op.promoted("self", "other");
  if (!core::is_float(a.dtype())) {
    a = net.cast(a, DType::f32);
    b = net.cast(b, DType::f32);
  }
  const Value distance = unary(UnaryOp::abs, a - b);
  const Value allowed = unary(UnaryOp::abs, b) * op.number("rtol") + op.number("atol");
  const Value near = logical(LogicalOp::logical_and, is_finite(distance),
                             net.compare(CompareOp::le, distance, allowed));
  const Value close = logical(LogicalOp::logical_or, net.compare(CompareOp::eq, a, b), near);
  if (!op.flag("equal_nan")) return close;
  const Value both =
      logical(LogicalOp::logical_and, unary(UnaryOp::isnan, a), unary(UnaryOp::isnan, b));
  return logical(LogicalOp::logical_or, close, both);
}

/// Is each element equal to one of the test elements?
Value isin(OpContext& op) {
  auto& net = op.net();
  const auto [elements, tests] = op.promoted("elements", "test_elements");
  const Value candidates = flattened(tests);
  const Value equal =
      net.compare(CompareOp::eq, net.unsqueeze(elements, {elements.rank()}), candidates);
  const Value found = net.reduce(ReduceOp::any, equal, {equal.rank() - 1}, false);
  return op.flag("invert") ? unary(UnaryOp::logical_not, found) : found;
}

Value isin_scalar(OpContext& op) {
  const auto [elements, test] = op.promoted("elements", "test_element");
  return op.net().compare(op.flag("invert") ? CompareOp::ne : CompareOp::eq, elements, test);
}

}  // namespace

void add_compare_ops(OpTable& table) {
  table.add<comparison<CompareOp::eq>>("aten::eq.Tensor(Tensor self, Tensor other) -> Tensor")
      .also("aten::eq.Scalar");
  table.add<comparison<CompareOp::ne>>("aten::ne.Tensor(Tensor self, Tensor other) -> Tensor")
      .also("aten::ne.Scalar")
      .also("aten::not_equal.Tensor")
      .also("aten::not_equal.Scalar");
  table.add<comparison<CompareOp::lt>>("aten::lt.Tensor(Tensor self, Tensor other) -> Tensor")
      .also("aten::lt.Scalar")
      .also("aten::less.Tensor")
      .also("aten::less.Scalar");
  table.add<comparison<CompareOp::le>>("aten::le.Tensor(Tensor self, Tensor other) -> Tensor")
      .also("aten::le.Scalar")
      .also("aten::less_equal.Tensor")
      .also("aten::less_equal.Scalar");
  table.add<comparison<CompareOp::gt>>("aten::gt.Tensor(Tensor self, Tensor other) -> Tensor")
      .also("aten::gt.Scalar")
      .also("aten::greater.Tensor")
      .also("aten::greater.Scalar");
  table.add<comparison<CompareOp::ge>>("aten::ge.Tensor(Tensor self, Tensor other) -> Tensor")
      .also("aten::ge.Scalar")
      .also("aten::greater_equal.Tensor")
      .also("aten::greater_equal.Scalar");

  table.add<connective<LogicalOp::logical_and>>(
      "aten::logical_and(Tensor self, Tensor other) -> Tensor");
  table.add<connective<LogicalOp::logical_or>>(
      "aten::logical_or(Tensor self, Tensor other) -> Tensor");
  table.add<connective<LogicalOp::logical_xor>>(
      "aten::logical_xor(Tensor self, Tensor other) -> Tensor");
  table.add<logical_not>("aten::logical_not(Tensor self) -> Tensor");

  table.add<is_special<UnaryOp::isnan>>("aten::isnan(Tensor self) -> Tensor");
  table.add<is_special<UnaryOp::isinf>>("aten::isinf(Tensor self) -> Tensor");
  table.add<isfinite>("aten::isfinite(Tensor self) -> Tensor");
  table.add<isposinf>("aten::isposinf(Tensor self) -> Tensor");
  table.add<isneginf>("aten::isneginf(Tensor self) -> Tensor");
  table.add<isreal>("aten::isreal(Tensor self) -> Tensor");
  table.add<isclose>(
      "aten::isclose(Tensor self, Tensor other, float rtol=1.0000000000000001e-05, float "
      "atol=1e-08, bool equal_nan=False) -> Tensor");
  table.add<isin>(
      "aten::isin.Tensor_Tensor(Tensor elements, Tensor test_elements, *, bool "
      "assume_unique=False, bool invert=False) -> Tensor");
  table.add<isin_scalar>(
      "aten::isin.Tensor_Scalar(Tensor elements, Scalar test_element, *, bool assume_unique=False, "
      "bool invert=False) -> Tensor");
}

}  // namespace torch_tensorrt::compiler
