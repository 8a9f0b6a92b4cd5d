#include <algorithm>

#include "compiler/conversion/converters/layout.h"

namespace torch_tensorrt::compiler {
namespace {

// ---- several tensors to one ----

/// PyTorch's cat: operands of the result's dtype; vectors of length 0 count as nothing.
Value joined(OpContext& op, std::vector<Value> xs, int axis) {
  const DType dtype = op.result_dtype();
  for (Value& x : xs) x = op.net().cast(x, dtype);
  return xs.size() == 1 ? xs.front() : op.net().concat(xs, axis);
}

bool is_nothing(const Value& x) {
  return x.rank() == 1 && x.dim(0).is_static() && x.dim(0).min == 0;
}

Value cat(OpContext& op) {
  std::vector<Value> xs = op.values("tensors");
  std::vector<Value> kept;
  std::copy_if(xs.begin(), xs.end(), std::back_inserter(kept),
               [](const Value& x) { return !is_nothing(x); });
  if (kept.empty()) kept.push_back(xs.at(0));
  return joined(op, kept, op.axis("dim", kept.front().rank()));
}

Value stack(OpContext& op) {
  std::vector<Value> xs = op.values("tensors");
  const int axis = op.axis("dim", xs.at(0).rank() + 1);
  for (Value& x : xs) x = op.net().unsqueeze(x, {axis});
  return joined(op, xs, axis);
}

Value stack_along(OpContext& op, int least_rank, int axis) {
  std::vector<Value> xs = op.values("tensors");
  for (Value& x : xs) x = with_rank(x, least_rank);
  return joined(op, xs, std::min(axis, xs.at(0).rank() - 1));
}
Value hstack(OpContext& op) { return stack_along(op, 1, 1); }
Value vstack(OpContext& op) { return stack_along(op, 2, 0); }
Value dstack(OpContext& op) { return stack_along(op, 3, 2); }

Value column_stack(OpContext& op) {
  std::vector<Value> xs = op.values("tensors");
  for (Value& x : xs) {
    if (x.rank() < 2) x = op.net().unsqueeze(with_rank(x, 1), {1});
  }
  return joined(op, xs, 1);
}

// ---- one tensor to several ----

using Parts = std::vector<Value>;

/// Consecutive parts of the given sizes, which sum to the dimension.
Parts parts_of(Value x, int axis, const Sizes& sizes) {
  if (sizes.size() == 1) return {x};
  const bool known =
      std::all_of(sizes.begin(), sizes.end(), [](const Size& s) { return number(s) != nullptr; });
  auto& net = x.builder();
  if (known && x.dim(axis).is_static()) {
    core::Ints numbers;
    for (const Size& size : sizes) numbers.push_back(*number(size));
    return net.split(x, axis, numbers);
  }
  Parts parts;
  Size start = 0;
  for (const Size& size : sizes) {
    parts.push_back(sliced(x, axis, start, size));
    start = net.add(start, size);
  }
  return parts;
}

/// Parts of `size`, the last one of what is left.
Parts equal_parts(OpContext& op, Value x, int axis, const Size& size) {
  auto& net = op.net();
  const core::Extent& dim = x.dim(axis);
  std::size_t count = 1;
  if (number(size) && dim.is_static()) {
    const std::int64_t n = *number(size);
    count = n > 0 ? static_cast<std::size_t>(std::max<std::int64_t>((dim.min + n - 1) / n, 1)) : 1;
  } else {
    count = list_length(op);
  }
  Sizes sizes(count - 1, size);
  const Size before = net.mul(size, static_cast<std::int64_t>(count) - 1);
  sizes.push_back(net.sub(net.size(x, axis), before));
  return parts_of(x, axis, sizes);
}

std::vector<Bound> split(OpContext& op) {
  const Value x = op.value("self");
  return {equal_parts(op, x, op.axis("dim", x.rank()), op.size("split_size"))};
}

std::vector<Bound> split_sizes(OpContext& op, std::string_view sizes) {
  const Value x = op.value("self");
  return {parts_of(x, op.axis("dim", x.rank()), op.sizes(sizes))};
}
std::vector<Bound> split_with_sizes(OpContext& op) { return split_sizes(op, "split_sizes"); }
std::vector<Bound> split_size_list(OpContext& op) { return split_sizes(op, "split_size"); }

std::vector<Bound> chunk(OpContext& op) {
  auto& net = op.net();
  const Value x = op.value("self");
  const int axis = op.axis("dim", x.rank());
  const std::int64_t chunks = op.integer("chunks");
  return {equal_parts(op, x, axis, net.floor_div(net.add(net.size(x, axis), chunks - 1), chunks))};
}

/// `sections` parts whose sizes differ by one at most.
Parts even_parts(OpContext& op, Value x, int axis, std::int64_t sections) {
  auto& net = op.net();
  const Size dim = net.size(x, axis);
  const Size least = net.floor_div(dim, sections), longer = net.remainder(dim, sections);
  Sizes sizes;
  for (std::int64_t i = 0; i < sections; ++i)
    sizes.push_back(net.add(least, at_least(net, longer, i + 1)));
  return parts_of(x, axis, sizes);
}

/// The parts between positions, each counting from the end where it is negative.
Parts parts_between(OpContext& op, Value x, int axis, const Sizes& positions) {
  auto& net = op.net();
  const Size dim = net.size(x, axis);
  Parts parts;
  std::optional<Size> start;
  const auto add = [&](const std::optional<Size>& end) {
    parts.push_back(sliced(x, axis, python_range(net, dim, start, end, 1)));
    start = end;
  };
  for (const Size& position : positions) add(position);
  add(std::nullopt);
  return parts;
}

std::vector<Bound> tensor_split_sections(OpContext& op) {
  const Value x = op.value("self");
  return {even_parts(op, x, op.axis("dim", x.rank()), op.integer("sections"))};
}
std::vector<Bound> tensor_split_indices(OpContext& op) {
  const Value x = op.value("self");
  return {parts_between(op, x, op.axis("dim", x.rank()), op.sizes("indices"))};
}

/// hsplit, vsplit and dsplit: tensor_split along an axis that the name tells.
template <int axis>
std::vector<Bound> split_axis_sections(OpContext& op) {
  const Value x = op.value("self");
  return {even_parts(op, x, std::min(axis, x.rank() - 1), op.integer("sections"))};
}
template <int axis>
std::vector<Bound> split_axis_indices(OpContext& op) {
  const Value x = op.value("self");
  return {parts_between(op, x, std::min(axis, x.rank() - 1), op.sizes("indices"))};
}

std::vector<Bound> unbind(OpContext& op) {
  const Value x = op.value("self");
  const int axis = op.axis("dim", x.rank());
  const core::Extent& dim = x.dim(axis);
  if (dim.dynamic)
    throw op.refuse("self has the dynamic size ", to_text(dim), " at axis ", axis,
                    ", expected a static one");
  Parts parts = parts_of(x, axis, Sizes(static_cast<std::size_t>(dim.min), Size(1)));
  for (Value& part : parts) part = op.net().squeeze(part, {axis});
  return {parts};
}

// ---- lists ----

std::vector<Bound> broadcast_tensors(OpContext& op) {
  Parts xs = op.values("tensors");
  const Sizes shape = broadcast_sizes(op.net(), xs);
  for (Value& x : xs) x = expanded(x, shape);
  return {xs};
}

Parts mesh(OpContext& op, bool swap) {
  auto& net = op.net();
  Parts xs = op.values("tensors");
  const std::size_t rank = xs.size();
  const auto axis_of = [&](std::size_t i) { return swap && rank > 1 && i < 2 ? 1 - i : i; };
  Sizes shape(rank, Size(1));
  for (std::size_t i = 0; i < rank; ++i) {
    xs[i] = flattened(xs[i].rank() == 0 ? net.unsqueeze(xs[i], {0}) : xs[i]);
    shape[axis_of(i)] = net.size(xs[i], 0);
  }
  for (std::size_t i = 0; i < rank; ++i) {
    core::Ints others;
    for (std::size_t axis = 0; axis < rank; ++axis) {
      if (axis != axis_of(i)) others.push_back(static_cast<std::int64_t>(axis));
    }
    xs[i] = expanded(others.empty() ? xs[i] : net.unsqueeze(xs[i], others), shape);
  }
  return xs;
}
std::vector<Bound> meshgrid(OpContext& op) { return {mesh(op, false)}; }
std::vector<Bound> meshgrid_indexing(OpContext& op) {
  const std::string indexing = op.string("indexing");
  if (indexing != "ij" && indexing != "xy")
    throw op.refuse("indexing is '", indexing, "', expected 'ij' or 'xy'");
  return {mesh(op, indexing == "xy")};
}

template <int rank>
std::vector<Bound> atleast_list(OpContext& op) {
  Parts xs = op.values("tensors");
  for (Value& x : xs) x = with_rank(x, rank);
  return {xs};
}

std::vector<Bound> list_unpack(OpContext& op) {
  const Parts elements = op.values("list");
  if (elements.size() != op.node().outputs.size()) {
    throw op.refuse("the list has ", elements.size(), " elements, expected ",
                    op.node().outputs.size());
  }
  return {elements.begin(), elements.end()};
}

void add_split_ops(OpTable& table) {
  table
      .add("aten::split.Tensor(Tensor(a -> *) self, SymInt split_size, int dim=0) -> Tensor(a)[]",
           split)
      .also("aten::split_copy.Tensor")
      .also("aten::unsafe_split.Tensor");
  table
      .add(
          "aten::split_with_sizes(Tensor(a -> *) self, SymInt[] split_sizes, int dim=0) -> "
          "Tensor(a)[]",
          split_with_sizes)
      .also("aten::split")
      .also("aten::split_with_sizes_copy")
      .also("aten::unsafe_split_with_sizes");
  table.add("aten::split.sizes(Tensor(a -> *) self, SymInt[] split_size, int dim=0) -> Tensor(a)[]",
            split_size_list);
  table.add("aten::chunk(Tensor(a -> *) self, int chunks, int dim=0) -> Tensor(a)[]", chunk)
      .also("aten::unsafe_chunk");
  table.add(
      "aten::tensor_split.sections(Tensor(a -> *) self, SymInt sections, int dim=0) -> Tensor(a)[]",
      tensor_split_sections);
  table.add(
      "aten::tensor_split.indices(Tensor(a -> *) self, SymInt[] indices, int dim=0) -> Tensor(a)[]",
      tensor_split_indices);
  table.add("aten::hsplit.int(Tensor(a -> *) self, int sections) -> Tensor(a)[]",
            split_axis_sections<1>);
  table.add("aten::hsplit.array(Tensor(a -> *) self, int[] indices) -> Tensor(a)[]",
            split_axis_indices<1>);
  table.add("aten::vsplit.int(Tensor(a -> *) self, int sections) -> Tensor(a)[]",
            split_axis_sections<0>);
  table.add("aten::vsplit.array(Tensor(a -> *) self, int[] indices) -> Tensor(a)[]",
            split_axis_indices<0>);
  table.add("aten::dsplit.int(Tensor(a -> *) self, int sections) -> Tensor(a)[]",
            split_axis_sections<2>);
  table.add("aten::dsplit.array(Tensor(a -> *) self, int[] indices) -> Tensor(a)[]",
            split_axis_indices<2>);
  table.add("aten::unbind.int(Tensor(a -> *) self, int dim=0) -> Tensor(a)[]", unbind)
      .also("aten::unbind_copy.int");
}

}  // namespace

void add_joining_ops(OpTable& table) {
  add_split_ops(table);
  table.add<cat>("aten::cat(Tensor[] tensors, int dim=0) -> Tensor")
      .also("aten::concat")
      .also("aten::concatenate");
  table.add<stack>("aten::stack(Tensor[] tensors, int dim=0) -> Tensor");
  table.add<hstack>("aten::hstack(Tensor[] tensors) -> Tensor");
  table.add<vstack>("aten::vstack(Tensor[] tensors) -> Tensor").also("aten::row_stack");
  table.add<dstack>("aten::dstack(Tensor[] tensors) -> Tensor");
  table.add<column_stack>("aten::column_stack(Tensor[] tensors) -> Tensor");
  table.add("aten::broadcast_tensors(Tensor[] tensors) -> Tensor[]", broadcast_tensors);
  table.add("aten::meshgrid(Tensor[] tensors) -> Tensor[]", meshgrid);
  table.add("aten::meshgrid.indexing(Tensor[] tensors, *, str indexing) -> Tensor[]",
            meshgrid_indexing);
  table.add("prim::ListUnpack", list_unpack);
  table.add("aten::atleast_1d.Sequence(Tensor[] tensors) -> Tensor[]", atleast_list<1>);
  table.add("aten::atleast_2d.Sequence(Tensor[] tensors) -> Tensor[]", atleast_list<2>);
  table.add("aten::atleast_3d.Sequence(Tensor[] tensors) -> Tensor[]", atleast_list<3>);
}

}  // namespace torch_tensorrt::compiler
