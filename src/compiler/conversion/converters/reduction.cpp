#include "compiler/conversion/converters/compose.h"
#include "compiler/conversion/converters/layout.h"

namespace torch_tensorrt::compiler {
namespace {

Value reduce(OpContext& op, ReduceOp kind, Value x) {
  return op.net().reduce(kind, x, axes_of(op, x), flag_if_any(op, "keepdim"));
}

/// Sums of integers become i64, and a dtype argument counts before the reduction: the operand has
/// the result's dtype.
template <ReduceOp kOp>
Value reduction(OpContext& op) {
  return reduce(op, kOp, operand(op));
}

/// max and min of bools are any and all.
Value extreme(Value x, bool largest, const core::Ints& axes, bool keepdims) {
  auto& net = x.builder();
  if (x.dtype() == DType::b) {
    return net.reduce(largest ? ReduceOp::any : ReduceOp::all, x, axes, keepdims);
  }
  return net.reduce(largest ? ReduceOp::max : ReduceOp::min, x, axes, keepdims);
}

template <bool kLargest>
Value full_extreme(OpContext& op) {
  const Value x = op.value("self");
  return extreme(x, kLargest, all_axes(x), false);
}

template <bool kLargest>
Value extreme_over(OpContext& op) {
  const Value x = op.value("self");
  return extreme(x, kLargest, axes_of(op, x), flag_if_any(op, "keepdim"));
}

/// Index of the extreme element along the axis.
Value extreme_index(Value x, bool largest, int axis, bool keepdim) {
  auto& net = x.builder();
  if (x.rank() == 0) return net.scalar_i64(0);
  const Value numbers = x.dtype() == DType::b ? net.cast(x, DType::i32) : x;
  const Value index = net.topk(numbers, 1, axis, largest).second;
  return keepdim ? index : net.squeeze(index, {axis});
}

/// Values by a reduction, which is cheaper than the top-k that only used indices need.
template <bool kLargest>
std::vector<Bound> extreme_with_index(OpContext& op) {
  const Value x = op.value("self");
  const int axis = op.axis("dim", x.rank());
  const bool keepdim = op.flag("keepdim");
  const Value values = extreme(x, kLargest, axes_of(op, x), keepdim);
  return {values, extreme_index(x, kLargest, axis, keepdim)};
}

template <bool kLargest>
Value arg_extreme(OpContext& op) {
  auto& net = op.net();
  const Value x = op.value("self");
  const bool keepdim = op.flag("keepdim");
  if (!op.is_none("dim")) {
    return extreme_index(x, kLargest, op.axis("dim", x.rank()), keepdim);
  }
  const Value index = extreme_index(flattened(x), kLargest, 0, false);
  return keepdim ? net.align_rank(index, x.rank()) : index;
}

std::vector<Bound> aminmax(OpContext& op) {
  const Value x = op.value("self");
  const core::Ints axes = axes_of(op, x);
  const bool keepdim = flag_if_any(op, "keepdim");
  return {extreme(x, false, axes, keepdim), extreme(x, true, axes, keepdim)};
}

template <ReduceOp kOp>
Value truth(OpContext& op) {
  return op.as_result(reduce(op, kOp, as_bool(op.value("self"))));
}

Value logsumexp(OpContext& op) {
  const Value x = operand(op);
  const core::Ints axes = axes_of(op, x);
  return without_axes(log_sum_exp(x, axes), axes, op.flag("keepdim"));
}

Value count_nonzero(OpContext& op) {
  const Value x = op.as_result(as_bool(op.value("self")));
  return op.net().reduce(ReduceOp::sum, x, axes_of(op, x), false);
}

/// x with 0 for NaN.
Value without_nan(Value x) {
  return core::is_float(x.dtype()) ? select(unary(UnaryOp::isnan, x), like(x, 0), x) : x;
}

Value nansum(OpContext& op) { return reduce(op, ReduceOp::sum, without_nan(operand(op))); }

Value nanmean(OpContext& op) {
  const Value x = operand(op);
  const Value number = unary(UnaryOp::logical_not, unary(UnaryOp::isnan, x));
  const Value count = reduce(op, ReduceOp::sum, op.net().cast(number, x.dtype()));
  return reduce(op, ReduceOp::sum, without_nan(x)) / count;
}

// ---- scans ----

Value cumsum(OpContext& op) {
  const Value x = operand(op);
  const int axis = op.axis("dim", x.rank());
  return x.rank() == 0 ? x : op.net().cumsum(x, axis);
}

/// Products of growing windows: 1, 2, 4, ... elements.
Value cumprod(OpContext& op) {
  auto& net = op.net();
  Value x = operand(op);
  const int axis = op.axis("dim", x.rank());
  if (x.rank() == 0) return x;
  if (!x.dim(axis).is_static()) {
    throw op.refuse("axis ", axis, " has a dynamic size, expected a static one");
  }
  const std::int64_t length = x.dim(axis).min;
  for (std::int64_t shift = 1; shift < length; shift *= 2) {
    const Value head = sliced(x, axis, 0, shift);
    const Value tail = sliced(x, axis, shift, length - shift);
    const Value parts[] = {head, tail * sliced(x, axis, 0, length - shift)};
    x = net.concat(parts, axis);
  }
  return x;
}

/// Differences of neighbours, `n` times.
Value diff(OpContext& op) {
  auto& net = op.net();
  Value x = op.value("self");
  const int axis = op.axis("dim", x.rank());
  std::vector<Value> parts = {x};
  if (const auto prepend = op.optional("prepend")) parts.insert(parts.begin(), *prepend);
  if (const auto append = op.optional("append")) parts.push_back(*append);
  if (parts.size() > 1) x = net.concat(parts, axis);
  for (std::int64_t i = 0; i < op.integer("n"); ++i) {
    const Size rest = net.sub(net.size(x, axis), 1);
    const Value later = sliced(x, axis, 1, rest), earlier = sliced(x, axis, 0, rest);
    x = x.dtype() == DType::b ? logical(LogicalOp::logical_xor, later, earlier) : later - earlier;
  }
  return x;
}

}  // namespace

void add_reduction_ops(OpTable& table) {
  table
      .add<reduction<ReduceOp::sum>>(
          "aten::sum.dim_IntList(Tensor self, int[1]? dim, bool keepdim=False, *, ScalarType? "
          "dtype=None) -> Tensor")
      .also("aten::sum");
  table
      .add<reduction<ReduceOp::mean>>(
          "aten::mean.dim(Tensor self, int[1]? dim, bool keepdim=False, *, ScalarType? dtype=None) "
          "-> Tensor")
      .also("aten::mean");
  table
      .add<reduction<ReduceOp::prod>>(
          "aten::prod.dim_int(Tensor self, int dim, bool keepdim=False, *, ScalarType? dtype=None) "
          "-> Tensor")
      .also("aten::prod");
  table.add<nansum>(
      "aten::nansum(Tensor self, int[1]? dim=None, bool keepdim=False, *, ScalarType? dtype=None) "
      "-> Tensor");
  table.add<nanmean>(
      "aten::nanmean(Tensor self, int[1]? dim=None, bool keepdim=False, *, ScalarType? dtype=None) "
      "-> Tensor");

  table.add<full_extreme<true>>("aten::max(Tensor self) -> Tensor");
  table.add<full_extreme<false>>("aten::min(Tensor self) -> Tensor");
  table.add(
      "aten::max.dim(Tensor self, int dim, bool keepdim=False) -> (Tensor values, Tensor indices)",
      extreme_with_index<true>);
  table.add(
      "aten::min.dim(Tensor self, int dim, bool keepdim=False) -> (Tensor values, Tensor indices)",
      extreme_with_index<false>);
  table.add<extreme_over<true>>(
      "aten::amax(Tensor self, int[1] dim=[], bool keepdim=False) -> Tensor");
  table.add<extreme_over<false>>(
      "aten::amin(Tensor self, int[1] dim=[], bool keepdim=False) -> Tensor");
  table
      .add(
          "aten::aminmax(Tensor self, *, int? dim=None, bool keepdim=False) -> (Tensor min, Tensor "
          "max)",
          aminmax)
      .also("aten::_aminmax")
      .also("aten::_aminmax.dim");
  table.add<arg_extreme<true>>(
      "aten::argmax(Tensor self, int? dim=None, bool keepdim=False) -> Tensor");
  table.add<arg_extreme<false>>(
      "aten::argmin(Tensor self, int? dim=None, bool keepdim=False) -> Tensor");

  table
      .add<truth<ReduceOp::any>>(
          "aten::any.dim(Tensor self, int dim, bool keepdim=False) -> Tensor")
      .also("aten::any")
      .also("aten::any.dims");
  table
      .add<truth<ReduceOp::all>>(
          "aten::all.dim(Tensor self, int dim, bool keepdim=False) -> Tensor")
      .also("aten::all")
      .also("aten::all.dims");
  table.add<count_nonzero>("aten::count_nonzero(Tensor self, int? dim=None) -> Tensor")
      .also("aten::count_nonzero.dim_IntList");
  table.add<logsumexp>("aten::logsumexp(Tensor self, int[1] dim, bool keepdim=False) -> Tensor")
      .also("aten::special_logsumexp");

  table.add<cumsum>("aten::cumsum(Tensor self, int dim, *, ScalarType? dtype=None) -> Tensor");
  table.add<cumprod>("aten::cumprod(Tensor self, int dim, *, ScalarType? dtype=None) -> Tensor");
  table.add<diff>(
      "aten::diff(Tensor self, int n=1, int dim=-1, Tensor? prepend=None, Tensor? append=None) -> "
      "Tensor");
}

}  // namespace torch_tensorrt::compiler
