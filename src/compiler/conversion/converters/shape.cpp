#include <algorithm>
#include <numeric>

#include "compiler/conversion/converters/layout.h"

namespace torch_tensorrt::compiler {
namespace {

using core::Ints;

// ---- reshapes ----

Value view(OpContext& op) {
  return reshaped(op.value("self"), result_shape(op, [&] { return op.sizes("size"); }));
}
Value reshape(OpContext& op) {
  return reshaped(op.value("self"), result_shape(op, [&] { return op.sizes("shape"); }));
}
Value view_as(OpContext& op) {
  return reshaped(op.value("self"),
                  result_shape(op, [&] { return op.net().sizes(op.value("other")); }));
}

Value flatten(OpContext& op) {
  const Value x = op.value("self");
  if (x.rank() == 0) return op.net().unsqueeze(x, {0});
  const int start = op.axis("start_dim", x.rank()), end = op.axis("end_dim", x.rank());
  if (start > end) throw op.refuse("start_dim is ", start, ", expected at most end_dim, ", end);
  return merged(x, start, end - start + 1);
}

Value ravel(OpContext& op) { return flattened(op.value("self")); }

Value unflatten(OpContext& op) {
  const Value x = op.value("self");
  const int axis = op.axis("dim", x.rank());
  return reshaped(x, result_shape(op, [&] {
                    Sizes shape;
                    for (int i = 0; i < x.rank(); ++i) {
                      if (i != axis) shape.push_back(op.net().size(x, i));
                    }
                    const Sizes parts = op.sizes("sizes");
                    shape.insert(shape.begin() + axis, parts.begin(), parts.end());
                    return shape;
                  }));
}

// ---- axes ----

std::int64_t normalized(OpContext& op, std::int64_t axis, int rank) {
  const std::int64_t span = std::max(rank, 1);
  if (axis < -span || axis >= span) {
    throw core::invalid_argument("[conversion] ", op.where(), ": axis is ", axis, ", expected ",
                                 -span, "..", span - 1);
  }
  return axis < 0 ? axis + span : axis;
}

Ints normalized(OpContext& op, Ints axes, int rank) {
  for (std::int64_t& axis : axes) axis = normalized(op, axis, rank);
  return axes;
}

Value swapped(Value x, int a, int b) { return permuted(x, moving(x.rank(), {a, b}, {b, a})); }

Value permute(OpContext& op) {
  const Value x = op.value("self");
  return permuted(x, normalized(op, op.integers("dims"), x.rank()));
}

/// x with two axes, named `a` and `b`, swapped.
Value swap_axes(OpContext& op, std::string_view a, std::string_view b) {
  const Value x = op.value("self");
  if (x.rank() == 0) return x;
  const int first = op.axis(a, x.rank()), second = op.axis(b, x.rank());
  return first == second ? x : swapped(x, first, second);
}
Value transpose(OpContext& op) { return swap_axes(op, "dim0", "dim1"); }
Value swapaxes(OpContext& op) { return swap_axes(op, "axis0", "axis1"); }

Value t(OpContext& op) {
  const Value x = op.value("self");
  return x.rank() < 2 ? x : swapped(x, 0, 1);
}
Value matrix_transpose(OpContext& op) {
  const Value x = op.value("self");
  return swapped(x, x.rank() - 2, x.rank() - 1);
}
Value numpy_transpose(OpContext& op) {
  const Value x = op.value("self");
  Ints perm(static_cast<std::size_t>(x.rank()));
  std::iota(perm.rbegin(), perm.rend(), 0);
  return permuted(x, perm);
}

Value movedim(OpContext& op) {
  const Value x = op.value("self");
  if (x.rank() == 0) return x;
  const Ints from = normalized(op, op.integers("source"), x.rank());
  const Ints to = normalized(op, op.integers("destination"), x.rank());
  return permuted(x, moving(x.rank(), from, to));
}

/// Of `axes`, those of size 1 go: also a computed dimension that is 1 over the whole range. Any
/// other dynamic one stays, as the rank must not depend on sizes.
Value squeeze_axes(Value x, const Ints& axes) {
  Ints ones;
  for (const std::int64_t axis : axes) {
    const core::Extent& dim = x.dim(static_cast<int>(axis));
    if (dim.min == 1 && dim.max == 1) ones.push_back(axis);
  }
  return ones.empty() ? x : x.builder().squeeze(x, ones);
}
Value squeeze_all(OpContext& op) {
  const Value x = op.value("self");
  Ints axes(static_cast<std::size_t>(x.rank()));
  std::iota(axes.begin(), axes.end(), 0);
  return squeeze_axes(x, axes);
}
Value squeeze(OpContext& op) {
  const Value x = op.value("self");
  return squeeze_axes(x, op.axes("dim", x.rank(), false));
}

Value unsqueeze(OpContext& op) {
  const Value x = op.value("self");
  return op.net().unsqueeze(x, {op.axis("dim", x.rank() + 1)});
}

template <int rank>
Value atleast(OpContext& op) {
  return with_rank(op.value("self"), rank);
}

// ---- broadcasts ----

Value expand(OpContext& op) {
  const Value x = op.value("self");
  Sizes shape = op.sizes("size");
  if (const auto type = op.result_type(); type && type->dims.size() == shape.size()) {
    for (std::size_t i = 0; i < shape.size(); ++i) {
      if (type->dims[i].is_static()) shape[i] = type->dims[i].min;
    }
  }
  return expanded(x, shape);
}
Value expand_as(OpContext& op) {
  return expanded(op.value("self"), op.net().sizes(op.value("other")));
}

/// x repeated; a dimension of 1 is broadcast.
Value repeated(Value x, Sizes repeats) {
  auto& net = x.builder();
  x = net.align_rank(x, std::max(x.rank(), static_cast<int>(repeats.size())));
  repeats.insert(repeats.begin(), static_cast<std::size_t>(x.rank()) - repeats.size(), Size(1));
  Sizes shape;
  bool broadcasts = true;
  for (int i = 0; i < x.rank(); ++i) {
    const Size& times = repeats[static_cast<std::size_t>(i)];
    const bool one = x.dim(i).is_static() && x.dim(i).min == 1;
    broadcasts &= one || is_number(times, 1);
    shape.push_back(one ? times : Size(-1));
  }
  return broadcasts ? expanded(x, shape) : net.one(core::Tile{}, {x, net.vector(repeats)});
}
Value repeat(OpContext& op) { return repeated(op.value("self"), op.sizes("repeats")); }
Value tile(OpContext& op) { return repeated(op.value("self"), op.sizes("dims")); }

Value repeat_interleave(OpContext& op) {
  auto& net = op.net();
  Value x = op.value("self");
  int axis = 0;
  if (op.is_none("dim")) {
    x = flattened(x);
  } else {
    axis = op.axis("dim", x.rank());
  }
  const Value wide = net.unsqueeze(x, {axis + 1});
  Sizes shape(static_cast<std::size_t>(wide.rank()), Size(-1));
  shape[static_cast<std::size_t>(axis) + 1] = op.size("repeats");
  return merged(expanded(wide, shape), axis, 2);
}

void add_reshape_ops(OpTable& table) {
  table.add<view>("aten::view(Tensor(a) self, SymInt[] size) -> Tensor(a)")
      .also("aten::_unsafe_view")
      .also("aten::_reshape_alias")
      .also("aten::_reshape_copy")
      .also("aten::view_copy");
  table.add<reshape>("aten::reshape(Tensor(a) self, SymInt[] shape) -> Tensor(a)");
  table.add<view_as>("aten::view_as(Tensor(a) self, Tensor other) -> Tensor(a)")
      .also("aten::reshape_as");
  table.add<flatten>(
      "aten::flatten.using_ints(Tensor(a) self, int start_dim=0, int end_dim=-1) -> Tensor(a)");
  table.add<ravel>("aten::ravel(Tensor(a) self) -> Tensor(a)");
  table.add<unflatten>("aten::unflatten.int(Tensor(a) self, int dim, SymInt[] sizes) -> Tensor(a)");
  table.add<atleast<1>>("aten::atleast_1d(Tensor self) -> Tensor");
  table.add<atleast<2>>("aten::atleast_2d(Tensor self) -> Tensor");
  table.add<atleast<3>>("aten::atleast_3d(Tensor self) -> Tensor");
}

void add_axis_ops(OpTable& table) {
  table.add<permute>("aten::permute(Tensor(a) self, int[] dims) -> Tensor(a)")
      .also("aten::permute_copy");
  table.add<transpose>("aten::transpose.int(Tensor(a) self, int dim0, int dim1) -> Tensor(a)")
      .also("aten::transpose_copy.int")
      .also("aten::swapdims");
  table.add<swapaxes>("aten::swapaxes(Tensor(a) self, int axis0, int axis1) -> Tensor(a)");
  table.add<t>("aten::t(Tensor(a) self) -> Tensor(a)").also("aten::t_copy");
  table.add<matrix_transpose>("aten::mT(Tensor(a) self) -> Tensor(a)")
      .also("aten::mT.a")
      .also("aten::mH")
      .also("aten::mH.a")
      .also("aten::matrix_H")
      .also("aten::matrix_H.a")
      .also("aten::adjoint");
  table.add<numpy_transpose>("aten::numpy_T(Tensor(a) self) -> Tensor(a)").also("aten::numpy_T.a");
  table.add<movedim>("aten::movedim.int(Tensor(a) self, int source, int destination) -> Tensor(a)")
      .also("aten::movedim.intlist")
      .also("aten::moveaxis.int")
      .also("aten::moveaxis.intlist");
  table.add<squeeze_all>("aten::squeeze(Tensor(a) self) -> Tensor(a)").also("aten::squeeze_copy");
  table.add<squeeze>("aten::squeeze.dim(Tensor(a) self, int dim) -> Tensor(a)")
      .also("aten::squeeze.dims")
      .also("aten::squeeze_copy.dim")
      .also("aten::squeeze_copy.dims");
  table.add<unsqueeze>("aten::unsqueeze(Tensor(a) self, int dim) -> Tensor(a)")
      .also("aten::unsqueeze_copy");
}

}  // namespace

void add_shape_ops(OpTable& table) {
  add_reshape_ops(table);
  add_axis_ops(table);
  add_joining_ops(table);
  add_slicing_ops(table);
  add_window_ops(table);
  add_padding_ops(table);
  table
      .add<expand>(
          "aten::expand(Tensor(a) self, SymInt[] size, *, bool implicit=False) -> Tensor(a)")
      .also("aten::expand_copy")
      .also("aten::broadcast_to");
  table.add<expand_as>("aten::expand_as(Tensor(a) self, Tensor other) -> Tensor(a)");
  table.add<repeat>("aten::repeat(Tensor self, SymInt[] repeats) -> Tensor");
  table.add<tile>("aten::tile(Tensor self, SymInt[] dims) -> Tensor");
  table.add<repeat_interleave>(
      "aten::repeat_interleave.self_int(Tensor self, SymInt repeats, int? dim=None, *, SymInt? "
      "output_size=None) -> "
      "Tensor");
}

}  // namespace torch_tensorrt::compiler
