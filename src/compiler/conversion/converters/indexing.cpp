#include <limits>

#include "compiler/conversion/converters/indices.h"
#include "compiler/conversion/converters/layout.h"

namespace torch_tensorrt::compiler {
namespace {

using core::Ints;

Value index(OpContext& op) {
  const Value x = op.value("self");
  return indexed(x, selection(op, x, op.optional_values("indices")));
}

Value index_select(OpContext& op) {
  const Value x = op.value("self"), index = op.value("index");
  if (x.rank() == 0) return x;
  const int axis = op.axis("dim", x.rank());
  return op.net().gather(x, index.rank() == 0 ? op.net().unsqueeze(index, {0}) : index, axis);
}

/// x along `axis`, with an index of x's rank that may be smaller than x off that axis.
Value gathered(Value x, Value index, int axis) {
  auto& net = x.builder();
  if (x.rank() == 0) {
    return net.reshape(net.gather(net.unsqueeze(x, {0}), index, 0), net.sizes(index));
  }
  return net.one(core::GatherElements{axis}, {fitted(x, index, axis), index});
}

Value gather(OpContext& op) {
  const Value x = op.value("self");
  return gathered(x, op.value("index"), op.axis("dim", x.rank()));
}

Value take(OpContext& op) {
  auto& net = op.net();
  const Value x = flattened(op.value("self").rank() == 0 ? net.unsqueeze(op.value("self"), {0})
                                                         : op.value("self"));
  return net.gather(x, non_negative(op, op.value("index"), net.size(x, 0)), 0);
}

Value take_along_dim(OpContext& op) {
  auto& net = op.net();
  Value x = op.value("self"), index = op.value("indices");
  if (op.is_none("dim")) return gathered(flattened(x), flattened(index), 0);
  const int axis = op.axis("dim", x.rank());
  if (same_dims(x, index)) return gathered(x, index, axis);
  Sizes shape = broadcast_sizes(net, {x, index});
  const auto along = [&](Value value) {
    shape[static_cast<std::size_t>(axis)] = net.size(value, axis);
    return expanded(value, shape);
  };
  return gathered(along(x), along(index), axis);
}

Value embedding(OpContext& op) {
  return op.net().gather(op.value("weight"), op.value("indices"), 0);
}

// ---- masks ----

Value masked_select(OpContext& op) {
  Value x = op.value("self"), mask = op.value("mask");
  const Sizes shape = broadcast_sizes(op.net(), {x, mask});
  if (shape.empty()) throw op.refuse("self and mask are scalars, expected a tensor with axes");
  x = expanded(x, shape);
  mask = expanded(mask, shape);
  return indexed(x, selection(op, x, {mask}));
}

/// Where the mask is true, the next element of source: its position is the number of true elements
/// before.
Value masked_scatter(OpContext& op) {
  auto& net = op.net();
  const Value x = op.value("self");
  const Value mask = flattened(expanded(op.value("mask"), net.sizes(x)));
  const Value source = flattened(op.value("source"));
  const Value before = net.cumsum(net.cast(mask, DType::i64), 0, true);
  const Value last = net.value(net.sub(net.size(source, 0), 1));
  const Value next = net.gather(source, net.binary(core::BinaryOp::min, before, last), 0);
  return reshaped(net.select(mask, next, flattened(x)), net.sizes(x));
}

// ---- nonzero: sizes that depend on data ----

Value positions_of(OpContext& op, std::string_view name) {
  return op.net().one(core::NonZero{}, {op.value(name)});
}
Value nonzero(OpContext& op) { return op.net().transpose(positions_of(op, "self"), {1, 0}); }

std::vector<Bound> positions_per_axis(OpContext& op, std::string_view name) {
  const Value all = positions_of(op, name);
  std::vector<Value> out;
  for (int i = 0; i < op.value(name).rank(); ++i) out.push_back(element(all, 0, i));
  return {out};
}
std::vector<Bound> nonzero_numpy(OpContext& op) { return positions_per_axis(op, "self"); }
std::vector<Bound> where_true(OpContext& op) { return positions_per_axis(op, "condition"); }

// ---- embedding_bag ----

enum class BagMode : std::int64_t { sum = 0, mean = 1, max = 2 };

/// The bag of every index: how many bags begin at or before it, less one.
Value bag_of_each(OpContext& op, Value indices, Value offsets) {
  auto& net = op.net();
  const Value place =
      net.range(net.scalar_i64(0), net.scalar_i64(1), net.value(net.size(indices, 0)));
  const Value begun =
      net.compare(core::CompareOp::le, net.unsqueeze(net.cast(offsets, DType::i64), {0}),
                  net.unsqueeze(place, {1}));
  return net.reduce(core::ReduceOp::sum, net.cast(begun, DType::i64), {1}, false) - 1;
}

/// Rows of `updates` added up (or their maximum) by bag, from `start` on.
Value by_bag(Value bags, Value updates, Value start, core::ScatterReduce reduction,
             const Size& count) {
  auto& net = bags.builder();
  const Value empty = expanded(start, {count, net.size(updates, 1)});
  return net.one(core::ScatterNd{reduction}, {empty, net.unsqueeze(bags, {1}), updates});
}

std::vector<Bound> embedding_bag(OpContext& op) {
  for (const std::size_t i : {1, 2, 3}) {
    if (is_used(op.node(), i))
      throw op.refuse("result ", i, " is used, expected the embeddings only");
  }
  auto& net = op.net();
  const Value weight = op.value("weight");
  const Value indices = flattened(op.value("indices"));
  const Value offsets = op.value("offsets");
  const BagMode mode{op.integer("mode")};
  const Size bags = net.sub(net.size(offsets, 0), op.flag("include_last_offset") ? 1 : 0);
  const Value bag = bag_of_each(op, indices, sliced(offsets, 0, 0, bags));
  const DType dtype = weight.dtype();
  Value rows = net.gather(weight, indices, 0);
  const bool has_padding = op.node().schema()->argumentIndexWithName("padding_idx") &&
                           !op.is_none("padding_idx") && op.integer("padding_idx") >= 0;
  if (mode == BagMode::max) {
    if (has_padding) throw op.refuse("padding_idx with the mode max, expected sum or mean");
    const Value least = net.scalar(-std::numeric_limits<double>::infinity(), dtype, 2);
    const Value most = by_bag(bag, rows, least, core::ScatterReduce::max, bags);
    return {
        net.select(net.compare(core::CompareOp::eq, most, least), net.scalar(0, dtype, 2), most),
        unused(), unused(), unused()};
  }
  Value counted = expanded(net.scalar(1, dtype, 2), {net.size(indices, 0), Size(1)});
  if (has_padding) {
    const Value ignored = net.scalar_i64(op.integer("padding_idx"), indices.dtype(), 1);
    counted =
        net.unsqueeze(net.cast(net.compare(core::CompareOp::ne, indices, ignored), dtype), {1});
    rows = rows * counted;
  }
  if (const auto weights = op.optional("per_sample_weights"))
    rows = rows * net.unsqueeze(flattened(*weights), {1});
  const Value zero = net.scalar(0, dtype, 2);
  Value y = by_bag(bag, rows, zero, core::ScatterReduce::sum, bags);
  if (mode == BagMode::mean) {
    const Value count = by_bag(bag, counted, zero, core::ScatterReduce::sum, bags);
    y = y / net.binary(core::BinaryOp::max, count, net.scalar(1, dtype, 2));
  }
  return {y, unused(), unused(), unused()};
}

}  // namespace

void add_indexing_ops(OpTable& table) {
  add_scatter_ops(table);
  add_sorting_ops(table);
  add_search_ops(table);
  table.add<index>("aten::index.Tensor(Tensor self, Tensor?[] indices) -> Tensor")
      .also("aten::index.Tensor_hacked_twin")
      .also("aten::_unsafe_index.Tensor")
      .also("aten::_unsafe_index.Tensor_hacked_twin");
  table.add<index_select>("aten::index_select(Tensor self, int dim, Tensor index) -> Tensor");
  table.add<gather>(
      "aten::gather(Tensor self, int dim, Tensor index, *, bool sparse_grad=False) -> Tensor");
  table.add<take>("aten::take(Tensor self, Tensor index) -> Tensor");
  table.add<take_along_dim>(
      "aten::take_along_dim(Tensor self, Tensor indices, int? dim=None) -> Tensor");
  table.add<embedding>(
      "aten::embedding(Tensor weight, Tensor indices, SymInt padding_idx=-1, bool "
      "scale_grad_by_freq=False, bool "
      "sparse=False) -> Tensor");
  table.add<masked_select>("aten::masked_select(Tensor self, Tensor mask) -> Tensor");
  table.add<masked_scatter>(
      "aten::masked_scatter(Tensor self, Tensor mask, Tensor source) -> Tensor");
  table.add<nonzero>("aten::nonzero(Tensor self) -> Tensor").also("aten::argwhere");
  table.add("aten::nonzero_numpy(Tensor self) -> Tensor[]", nonzero_numpy);
  table.add("aten::where(Tensor condition) -> Tensor[]", where_true);
  table
      .add(
          "aten::embedding_bag.padding_idx(Tensor weight, Tensor indices, Tensor offsets, bool "
          "scale_grad_by_freq, int "
          "mode, bool sparse, Tensor? per_sample_weights, bool include_last_offset, int? "
          "padding_idx) -> (Tensor, Tensor, "
          "Tensor, Tensor)",
          embedding_bag)
      .also("aten::embedding_bag")
      .also("aten::_embedding_bag");
}

}  // namespace torch_tensorrt::compiler
