#pragma once

// Index tensors: into range, and several of them as one.

#include <cstdint>
#include <vector>

#include "compiler/conversion/op_context.h"

namespace torch_tensorrt::compiler {

/// Is no element negative, as far as the layers that make it tell?
bool never_negative(Value index);
/// Negative indices count from the end of `dim`; constants are changed now, the rest at run time
/// where needed.
Value non_negative(OpContext& op, Value index, const Size& dim);

/// x[.., i, j, ..] of advanced indexing, told as one index into the indexed axes taken together.
struct Selection {
  std::vector<std::int64_t> axes;  ///< indexed axes of x, rising; empty: none is
  Value index;           ///< broadcast of all index tensors: row-major position within `axes`
  bool adjacent = true;  ///< the result has the index's dimensions where `axes` were, else in front

  /// Where the index's dimensions begin in the result.
  int position() const { return adjacent ? static_cast<int>(axes.front()) : 0; }
};
/// `indices`: one per axis from the first on, or a mask for several axes; nothing selects all.
Selection selection(OpContext& op, Value x, const std::vector<std::optional<Value>>& indices);
/// x[indices].
Value indexed(Value x, const Selection& selection);

/// `x` cut to the sizes of `like`, except along `axis` (-1: along all).
Value fitted(Value x, Value like, int axis);
/// The number argument as a scalar of `dtype`.
Value scalar_of(OpContext& op, std::string_view name, DType dtype);

}  // namespace torch_tensorrt::compiler
