#include <ATen/ATen.h>

#include "compiler/conversion/converters/layout.h"

namespace torch_tensorrt::compiler {
namespace {

using core::Ints;

Value slice(OpContext& op) {
  auto& net = op.net();
  const Value x = op.value("self");
  const int axis = op.axis("dim", x.rank());
  const std::int64_t step = op.integer("step");
  Range range = python_range(net, net.size(x, axis), op.optional_size("start"),
                             op.optional_size("end"), step);
  if (const auto type = op.result_type();
      type && type->dims.at(static_cast<std::size_t>(axis)).is_static()) {
    range.size = type->dims[static_cast<std::size_t>(axis)].min;
  }
  return sliced(x, axis, range, step);
}

Value narrow(OpContext& op) {
  auto& net = op.net();
  const Value x = op.value("self");
  const int axis = op.axis("dim", x.rank());
  return sliced(x, axis, wrapped(net, op.size("start"), net.size(x, axis)), op.size("length"));
}

Value select(OpContext& op) {
  auto& net = op.net();
  const Value x = op.value("self");
  const int axis = op.axis("dim", x.rank());
  return element(x, axis, wrapped(net, op.size("index"), net.size(x, axis)));
}

/// The two axes as one of H*W elements; the diagonal is every (W+1)th of them.
Value diagonal(OpContext& op) {
  auto& net = op.net();
  Value x = op.value("self");
  const int rank = x.rank();
  const std::int64_t offset = op.integer("offset"), row = op.axis("dim1", rank),
                     column = op.axis("dim2", rank);
  x = permuted(x, moving(rank, {row, column}, {rank - 2, rank - 1}));
  const Size height = net.size(x, rank - 2), width = net.size(x, rank - 1);
  const Size rows = offset < 0 ? net.add(height, offset) : height;
  const Size columns = offset > 0 ? net.sub(width, offset) : width;
  const Size count = greater(net, lesser(net, rows, columns), 0);
  const Size start = offset >= 0 ? Size(offset) : net.mul(width, -offset);
  if (is_number(count, 0)) return sliced(merged(x, rank - 2, 2), rank - 2, 0, 0);
  return net.slice(merged(x, rank - 2, 2), rank - 2, start, count, net.add(width, 1));
}

// ---- orders ----

Value flipped(Value x, Ints axes) {
  return axes.empty() ? x : x.builder().one(core::Flip{std::move(axes)}, {x});
}
Value flip(OpContext& op) {
  const Value x = op.value("self");
  return flipped(x, op.axes("dims", x.rank(), false));
}
Value fliplr(OpContext& op) { return flipped(op.value("self"), {1}); }
Value flipud(OpContext& op) { return flipped(op.value("self"), {0}); }

std::int64_t normalized(std::int64_t axis, int rank) { return axis < 0 ? axis + rank : axis; }

Value roll(OpContext& op) {
  Value x = op.value("self");
  if (x.rank() == 0) return x;
  auto& net = op.net();
  const Ints shifts = op.integers("shifts");
  Ints dims = op.integers("dims");
  if (dims.empty()) {
    const Value y = net.one(core::Roll{shifts, {0}}, {flattened(x)});
    return reshaped(y, net.sizes(x));
  }
  for (std::int64_t& dim : dims) dim = normalized(dim, x.rank());
  // One after the other: an axis may be named twice.
  for (std::size_t i = 0; i < dims.size(); ++i)
    x = net.one(core::Roll{{shifts.at(i)}, {dims[i]}}, {x});
  return x;
}

Value rot90(OpContext& op) {
  const Value x = op.value("self");
  const Ints dims = op.integers("dims");
  const std::int64_t a = normalized(dims.at(0), x.rank()), b = normalized(dims.at(1), x.rank());
  const std::int64_t turns = ((op.integer("k") % 4) + 4) % 4;
  if (turns == 0) return x;
  if (turns == 2) return flipped(x, {a, b});
  return permuted(flipped(x, {turns == 1 ? b : a}), moving(x.rank(), {a, b}, {b, a}));
}

// ---- storage ----

/// Where elements of a static, contiguous self lie; any other self has no layout here.
Value as_strided(OpContext& op) {
  const Value x = op.value("self");
  const auto self = op.node().args.at(0).var();
  if (self == nullptr || !self->fact || !x.type().is_static())
    throw op.refuse("self is not a tensor of static size");
  if (self->producer == nullptr)
    throw op.refuse("self is an argument, of which each call has its own strides");
  const at::Tensor sample = self->fact->samples.front().toTensor();
  if (!sample.is_contiguous() || sample.storage_offset() != 0) {
    throw op.refuse("self is a view with strides of its own, expected a contiguous tensor");
  }
  const Ints size = op.integers("size"), stride = op.integers("stride");
  at::Tensor index = at::full({}, op.optional_integer("storage_offset").value_or(0), at::kLong);
  for (std::size_t i = 0; i < size.size(); ++i) {
    index = index.unsqueeze(-1) + at::arange(size[i], at::kLong) * stride[i];
  }
  if (index.numel() > 0 && index.max().item<std::int64_t>() >= sample.numel()) {
    throw op.refuse("it reads beyond self's ", sample.numel(), " elements");
  }
  return op.net().gather(flattened(x), op.constant(index), 0);
}

Value repeat_interleave(OpContext& op) {
  const auto repeats = op.constant_tensor("repeats");
  if (!repeats) throw op.refuse("repeats depend on data, expected constants");
  Value x = op.value("self");
  int axis = 0;
  if (op.is_none("dim")) {
    x = flattened(x);
  } else {
    axis = op.axis("dim", x.rank());
  }
  const core::Extent& dim = x.dim(axis);
  if (repeats->numel() == 1 && dim.dynamic)
    throw op.refuse("self has a dynamic size along dim, expected a static one");
  return op.net().gather(
      x, op.constant(at::repeat_interleave(repeats->reshape(-1).expand({dim.min}).contiguous())),
      axis);
}

}  // namespace

void add_slicing_ops(OpTable& table) {
  table
      .add<slice>(
          "aten::slice.Tensor(Tensor(a) self, int dim=0, SymInt? start=None, SymInt? end=None, "
          "SymInt step=1) -> Tensor(a)")
      .also("aten::slice_copy.Tensor");
  table
      .add<narrow>(
          "aten::narrow(Tensor(a) self, int dim, SymInt start, SymInt length) -> Tensor(a)")
      .also("aten::narrow.Tensor")
      .also("aten::narrow_copy");
  table.add<select>("aten::select.int(Tensor(a) self, int dim, SymInt index) -> Tensor(a)")
      .also("aten::select_copy.int");
  table
      .add<diagonal>(
          "aten::diagonal(Tensor(a) self, int offset=0, int dim1=0, int dim2=1) -> Tensor(a)")
      .also("aten::diagonal_copy");
  table.add<flip>("aten::flip(Tensor self, int[] dims) -> Tensor");
  table.add<fliplr>("aten::fliplr(Tensor self) -> Tensor");
  table.add<flipud>("aten::flipud(Tensor self) -> Tensor");
  table.add<roll>("aten::roll(Tensor self, SymInt[1] shifts, int[1] dims=[]) -> Tensor");
  table.add<rot90>("aten::rot90(Tensor self, int k=1, int[] dims=[0, 1]) -> Tensor");
  table.add<as_strided>(
      "aten::as_strided(Tensor(a) self, SymInt[] size, SymInt[] stride, SymInt? "
      "storage_offset=None) -> Tensor(a)");
  table.add<repeat_interleave>(
      "aten::repeat_interleave.self_Tensor(Tensor self, Tensor repeats, int? dim=None, *, SymInt? "
      "output_size=None) -> "
      "Tensor");
}

}  // namespace torch_tensorrt::compiler
