// Where values stand among others: bucketize, searchsorted, histc.

#include <ATen/ATen.h>

#include "compiler/conversion/converters/layout.h"

namespace torch_tensorrt::compiler {
namespace {

using core::CompareOp;

/// How many of the sorted values lie before each x: [.., n] against x [.., 1].
Value count_before(OpContext& op, Value sorted, Value x, bool right) {
  auto& net = op.net();
  const Value before = net.compare(right ? CompareOp::le : CompareOp::lt, sorted, x);
  const DType dtype = op.flag("out_int32") ? DType::i32 : DType::i64;
  return net.reduce(core::ReduceOp::sum, net.cast(before, dtype), {before.rank() - 1}, false);
}

Value bucketize(OpContext& op) {
  const auto [x, boundaries] = op.promoted("self", "boundaries");
  return count_before(op, boundaries, op.net().unsqueeze(x, {x.rank()}), op.flag("right"));
}

Value searchsorted(OpContext& op) {
  auto& net = op.net();
  auto [sorted, x] = op.promoted("sorted_sequence", "self");
  if (const auto sorter = op.optional("sorter")) {
    sorted = net.one(core::GatherElements{sorted.rank() - 1}, {sorted, *sorter});
  }
  const std::string side = op.is_none("side") ? "left" : op.string("side");
  if (side != "left" && side != "right")
    throw op.refuse("side is '", side, "', expected 'left' or 'right'");
  const bool right = op.flag("right") || side == "right";
  const Value each = net.unsqueeze(x, {x.rank()});
  return count_before(op, sorted.rank() == 1 ? sorted : net.unsqueeze(sorted, {sorted.rank() - 1}),
                      each, right);
}

/// Counts of the values in equal bins between min and max; the last bin has both ends.
Value histc(OpContext& op) {
  auto& net = op.net();
  const double low = op.number("min"), high = op.number("max");
  const std::int64_t bins = op.integer("bins");
  if (low >= high)
    throw op.refuse("min is ", low, " and max is ", high, ", so the range depends on data");
  const DType dtype = op.result_dtype();
  const Value x = flattened(net.cast(op.value("self"), DType::f32));
  const Value place = (x - low) * static_cast<double>(bins) / (high - low);
  const Value last = net.scalar(static_cast<double>(bins - 1), DType::f32, 1);
  const Value bin = net.binary(core::BinaryOp::min, net.unary(core::UnaryOp::floor, place), last);
  const auto within = [&](CompareOp test, double limit) {
    return net.compare(test, x, net.scalar(limit, DType::f32, 1));
  };
  const Value counted = net.logical(core::LogicalOp::logical_and, within(CompareOp::ge, low),
                                    within(CompareOp::le, high));
  const Value all_bins = op.constant(at::arange(bins, at::kFloat));
  const Value in_bin = net.compare(CompareOp::eq, net.unsqueeze(bin, {1}), all_bins);
  const Value hits = net.logical(core::LogicalOp::logical_and, in_bin, net.unsqueeze(counted, {1}));
  return net.cast(net.reduce(core::ReduceOp::sum, net.cast(hits, DType::f32), {0}, false), dtype);
}

}  // namespace

void add_search_ops(OpTable& table) {
  table
      .add<bucketize>(
          "aten::bucketize.Tensor(Tensor self, Tensor boundaries, *, bool out_int32=False, bool "
          "right=False) -> Tensor")
      .also("aten::bucketize.Scalar");
  table
      .add<searchsorted>(
          "aten::searchsorted.Tensor(Tensor sorted_sequence, Tensor self, *, bool out_int32=False, "
          "bool right=False, str? "
          "side=None, Tensor? sorter=None) -> Tensor")
      .also("aten::searchsorted.Scalar");
  table.add<histc>("aten::histc(Tensor self, int bins=100, Scalar min=0, Scalar max=0) -> Tensor");
}

}  // namespace torch_tensorrt::compiler
