#include "compiler/conversion/converters/selection.h"

#include <limits>

#include "compiler/conversion/converters/compose.h"
#include "compiler/conversion/converters/layout.h"

namespace torch_tensorrt::compiler {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

Value where(OpContext& op) {
  const Value condition = as_bool(op.value("condition"));
  return select(condition, operand(op), operand(op, "other"));
}

Value masked_fill(OpContext& op) {
  const Value x = op.value("self");
  const Value filling = op.net().cast(op.value("value"), x.dtype());
  return select(as_bool(op.value("mask")), filling, x);
}

Value nan_to_num(OpContext& op) {
  const Value x = op.value("self");
  if (!core::is_float(x.dtype())) return x;
  const double greatest = greatest_finite(x.dtype());
  const double nan = op.optional_number("nan").value_or(0);
  const double above = op.optional_number("posinf").value_or(greatest);
  const double below = op.optional_number("neginf").value_or(-greatest);
  const Value finite = select(compare(CompareOp::eq, x, kInfinity), like(x, above),
                              select(compare(CompareOp::eq, x, -kInfinity), like(x, below), x));
  return select(unary(UnaryOp::isnan, x), like(x, nan), finite);
}

/// Casts: devices, layouts and memory formats are nothing to an engine.
Value converted(OpContext& op) {
  const DType to = op.result_dtype();
  if (is_eight_bit_weight(op.node().args.front()) && core::is_float(to)) {
    // Engines multiply with such weights as they are, where they see how they stand for numbers.
    const Value one = op.net().scalar(1, DType::f32);
    return op.net().one(core::Dequantize{to, -1}, {op.value("self"), one});
  }
  return operand(op);
}

/// The source in the shape and dtype of self.
Value copy(OpContext& op) {
  const Value self = op.value("self");
  return expanded(op.net().cast(op.value("src"), self.dtype()), op.net().sizes(self));
}

Value same(OpContext& op) { return op.value("self"); }

/// Nothing in inference; training is refused.
Value dropout(OpContext& op) {
  if (op.flag("train") && op.number("p") != 0) {
    throw op.refuse("train is True, and its results are random; put the model into eval mode");
  }
  return op.value("input");
}

std::vector<Bound> native_dropout(OpContext& op) {
  const bool train = op.is_none("train") || op.flag("train");
  if (train && op.number("p") != 0) {
    throw op.refuse("train is True, and its results are random; put the model into eval mode");
  }
  const Value x = op.value("input");
  return {x, expanded(op.net().scalar(1, DType::b), op.net().sizes(x))};
}

}  // namespace

void add_selection_ops(OpTable& table) {
  table.add<where>("aten::where.self(Tensor condition, Tensor self, Tensor other) -> Tensor")
      .also("aten::where.Scalar")
      .also("aten::where.ScalarSelf")
      .also("aten::where.ScalarOther");
  table
      .add<masked_fill>(
          "aten::masked_fill.Scalar(Tensor self, Tensor mask, Scalar value) -> Tensor")
      .also("aten::masked_fill.Tensor");
  table.add<nan_to_num>(
      "aten::nan_to_num(Tensor self, float? nan=None, float? posinf=None, float? neginf=None) -> "
      "Tensor");

  table
      .add<converted>(
          "aten::to.dtype(Tensor(a) self, ScalarType dtype, bool non_blocking=False, bool "
          "copy=False, MemoryFormat? memory_format=None) -> Tensor(a)")
      .also("aten::to.device")
      .also("aten::to.dtype_layout")
      .also("aten::to.other")
      .also("aten::to.prim_Device")
      .also("aten::to.prim_dtype")
      .also("aten::to.prim_other")
      .also("aten::_to_copy")
      .also("aten::type_as")
      .also("aten::cpu")
      .also("aten::cuda")
      .also("aten::_autocast_to_full_precision")
      .also("aten::_autocast_to_reduced_precision");
  table.add<copy>("aten::copy(Tensor self, Tensor src, bool non_blocking=False) -> Tensor");
  table.add<same>("aten::clone(Tensor self, *, MemoryFormat? memory_format=None) -> Tensor")
      .also("aten::contiguous")
      .also("aten::detach")
      .also("aten::detach_copy")
      .also("aten::alias")
      .also("aten::alias_copy")
      .also("aten::lift")
      .also("aten::lift_fresh")
      .also("aten::lift_fresh_copy")
      .also("aten::resolve_conj")
      .also("aten::resolve_neg")
      .also("aten::_conj_physical")
      .also("aten::data");
  table.add<dropout>("aten::dropout(Tensor input, float p, bool train) -> Tensor")
      .also("aten::feature_dropout")
      .also("aten::alpha_dropout")
      .also("aten::feature_alpha_dropout");
  table.add("aten::native_dropout(Tensor input, float p, bool? train) -> (Tensor, Tensor)",
            native_dropout);
}

}  // namespace torch_tensorrt::compiler
