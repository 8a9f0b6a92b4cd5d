#pragma once

// What several converter families share about sizes and layout: ranges of sizes, reshapes, moves,
// crops, windows.

#include <cstdint>
#include <optional>
#include <vector>

#include "compiler/conversion/op_context.h"

namespace torch_tensorrt::compiler {

/// The number, where it is known now; else null.
inline const std::int64_t* number(const Size& size) { return std::get_if<std::int64_t>(&size); }
inline bool is_number(const Size& size, std::int64_t value) {
  return number(size) && *number(size) == value;
}

/// The least and the greatest that a size can be, as far as it is known.
struct Bounds {
  std::int64_t least;
  std::int64_t greatest;
};
Bounds bounds(const Size& size);
/// The smaller (greater) of two sizes; computed by the host only where their ranges overlap.
Size lesser(core::NetworkBuilder& net, const Size& a, const Size& b);
Size greater(core::NetworkBuilder& net, const Size& a, const Size& b);
/// An index or a bound that counts from the end where it is negative: index, or index + dim.
Size wrapped(core::NetworkBuilder& net, const Size& index, const Size& dim);
/// 1 where a >= b, else 0.
Size at_least(core::NetworkBuilder& net, const Size& a, const Size& b);

/// A slice as Python means it, in bounds: x[start:end:step] along an axis of size `dim`.
struct Range {
  Size start;
  Size size;
};
Range python_range(core::NetworkBuilder& net, const Size& dim, const std::optional<Size>& start,
                   const std::optional<Size>& end, std::int64_t step);
/// x itself where the range is the whole axis.
Value sliced(Value x, int axis, const Range& range, std::int64_t step = 1);
/// Elements [start, start + size) along the axis.
Value sliced(Value x, int axis, const Size& start, const Size& size);
/// Element `index` (>= 0) along the axis, which goes.
Value element(Value x, int axis, const Size& index);

/// The shape of result 0 for a reshape of a tensor: its known sizes and one -1 where that says all;
/// else what `given` names, with every size that PyTorch found to be static.
template <typename Given>
Sizes result_shape(OpContext& op, Given&& given);
/// x.reshape(shape), at most one entry -1. A single size that is not known now becomes -1.
Value reshaped(Value x, Sizes shape);
/// Axes [first, first + count) as one.
Value merged(Value x, int first, int count);
/// Axis `axis` as several.
Value unmerged(Value x, int axis, const Sizes& sizes);
/// x as a vector, [n]; x of rank 0 gives [1].
Value flattened(Value x);
/// x.permute(perm); x itself where nothing moves.
Value permuted(Value x, const std::vector<std::int64_t>& perm);
/// The permutation that moves axes `from` to positions `to`, and the one that moves them back.
std::vector<std::int64_t> moving(int rank, const std::vector<std::int64_t>& from,
                                 const std::vector<std::int64_t>& to);
std::vector<std::int64_t> inverse(const std::vector<std::int64_t>& perm);
/// At least `rank` axes, placed as torch.atleast_?d does.
Value with_rank(Value x, int rank);
/// x broadcast to `shape`, which has at least x's rank; x itself where nothing changes.
Value expanded(Value x, const Sizes& shape);
/// What the shapes of `xs` broadcast to.
Sizes broadcast_sizes(core::NetworkBuilder& net, const std::vector<Value>& xs);
/// What two sizes broadcast to.
Size broadcast_size(core::NetworkBuilder& net, const Size& a, const Size& b);
/// Are the extents the same? Then the sizes are taken to be.
bool same_dims(Value a, Value b);

/// begin and end per axis of x; negative amounts crop.
Value padded(Value x, core::PadMode mode, const Sizes& begin, const Sizes& end,
             std::optional<Value> value = {});
/// i64 [windows, size]: element j of window i, i*step + j*spread.
Value window_indices(core::NetworkBuilder& net, const Size& windows, std::int64_t size,
                     std::int64_t step, std::int64_t spread = 1);

/// The data of a value made by a constant layer, without a copy; else nothing.
std::optional<at::Tensor> constant_data(Value x);
/// Does anything read output `index` of the node?
bool is_used(const Node& node, std::size_t index);
/// Stands for a result that nothing reads.
inline Bound unused() { return std::vector<Value>{}; }
/// Number of elements of a list result, from the runs that found the types; refused where it
/// differs between them.
std::size_t list_length(OpContext& op, std::size_t index = 0);

// The shape family has several files.
void add_joining_ops(OpTable& table);
void add_slicing_ops(OpTable& table);
void add_window_ops(OpTable& table);
void add_padding_ops(OpTable& table);
// So has the indexing family.
void add_scatter_ops(OpTable& table);
void add_sorting_ops(OpTable& table);
void add_search_ops(OpTable& table);

template <typename Given>
Sizes result_shape(OpContext& op, Given&& given) {
  const std::optional<core::TensorType> type = op.result_type();
  if (!type) return given();
  Sizes known;
  int unknowns = 0;
  bool empty = false;
  for (const core::Extent& dim : type->dims) {
    known.emplace_back(dim.is_static() ? dim.min : -1);
    unknowns += dim.dynamic;
    empty |= dim.is_static() && dim.min == 0;
  }
  if (unknowns == 0 || (unknowns == 1 && !empty)) return known;
  Sizes shape = given();
  for (std::size_t i = 0; i < shape.size() && shape.size() == known.size(); ++i) {
    if (type->dims[i].is_static()) shape[i] = known[i];
  }
  return shape;
}

}  // namespace torch_tensorrt::compiler
