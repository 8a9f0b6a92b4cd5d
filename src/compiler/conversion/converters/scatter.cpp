#include <functional>
#include <map>

#include "compiler/conversion/converters/indices.h"
#include "compiler/conversion/converters/layout.h"

namespace torch_tensorrt::compiler {
namespace {

using core::ScatterReduce;

/// A number of x's rank and dtype, broadcast to the shape of `like`.
Value filled(Value like, Value scalar) { return expanded(scalar, like.builder().sizes(like)); }
Value filled(Value like, double number, DType dtype) {
  return filled(like, like.builder().scalar(number, dtype));
}

/// Writes updates into x at places that stay the same: put(x, updates, reduction).
using Put = std::function<Value(Value x, Value updates, ScatterReduce reduction)>;

/// Places of torch.scatter: index along one axis, of x's rank. `updates` may be larger than the
/// index.
Put elements_at(Value index, int axis) {
  return [=](Value x, Value updates, ScatterReduce reduction) {
    auto& net = x.builder();
    if (x.rank() == 0) {
      const auto vector = [&](Value v) { return v.rank() == 0 ? net.unsqueeze(v, {0}) : v; };
      const Value y =
          net.one(core::ScatterElements{0, reduction}, {vector(x), vector(index), vector(updates)});
      return net.squeeze(y, {0});
    }
    return net.one(core::ScatterElements{axis, reduction}, {x, index, fitted(updates, index, -1)});
  };
}

/// Places of torch.index_add and its kin: whole slices of x at the elements of `index`, a vector.
Put slices_at(Value index, int axis) {
  return [=](Value x, Value updates, ScatterReduce reduction) {
    auto& net = x.builder();
    const Value tuples = net.unsqueeze(index.rank() == 0 ? net.unsqueeze(index, {0}) : index, {1});
    const auto perm = moving(x.rank(), {axis}, {0});
    const Value y =
        net.one(core::ScatterNd{reduction}, {permuted(x, perm), tuples, permuted(updates, perm)});
    return permuted(y, inverse(perm));
  };
}

// ---- reductions ----

ScatterReduce reduction_of(OpContext& op) {
  static const std::map<std::string, ScatterReduce> kReductions = {
      {"add", ScatterReduce::sum},   {"multiply", ScatterReduce::prod},
      {"sum", ScatterReduce::sum},   {"prod", ScatterReduce::prod},
      {"mean", ScatterReduce::mean}, {"amax", ScatterReduce::max},
      {"amin", ScatterReduce::min}};
  const auto found = kReductions.find(op.string("reduce"));
  if (found == kReductions.end())
    throw op.refuse("reduce is '", op.string("reduce"), "', which PyTorch does not have");
  return found->second;
}

/// What a place is set to so that its old value does not count: for max and min, one of the updates
/// themselves.
Value replacement(Value updates, ScatterReduce reduction) {
  if (reduction == ScatterReduce::max || reduction == ScatterReduce::min) return updates;
  return filled(updates, reduction == ScatterReduce::prod ? 1 : 0, updates.dtype());
}

Value reduced(Value x, Value updates, ScatterReduce reduction, bool include_self, const Put& put) {
  if (include_self) return put(x, updates, reduction);
  auto& net = x.builder();
  const Value cleared = put(x, replacement(updates, reduction), ScatterReduce::none);
  if (reduction != ScatterReduce::mean) return put(cleared, updates, reduction);
  const DType dtype = x.dtype();
  const Value sums = put(cleared, updates, ScatterReduce::sum);
  const Value counts = put(filled(x, 0, dtype), filled(updates, 1, dtype), ScatterReduce::sum);
  const Value divisor = net.binary(core::BinaryOp::max, counts, net.scalar(1, dtype, x.rank()));
  return net.binary(core::is_float(dtype) ? core::BinaryOp::div : core::BinaryOp::floor_div, sums,
                    divisor);
}

// ---- scatter ----

struct Destination {
  Value x, index;
  int axis;
  explicit Destination(OpContext& op)
      : x(op.value("self")), index(op.value("index")), axis(op.axis("dim", x.rank())) {}
};

Value scatter_src(OpContext& op) {
  const Destination to(op);
  return elements_at(to.index, to.axis)(to.x, op.value("src"), ScatterReduce::none);
}
Value scatter_value(OpContext& op) {
  const Destination to(op);
  const Value updates = filled(to.index, scalar_of(op, "value", to.x.dtype()));
  return elements_at(to.index, to.axis)(to.x, updates, ScatterReduce::none);
}
Value scatter_src_reduce(OpContext& op) {
  const Destination to(op);
  return elements_at(to.index, to.axis)(to.x, op.value("src"), reduction_of(op));
}
Value scatter_value_reduce(OpContext& op) {
  const Destination to(op);
  const Value updates = filled(to.index, scalar_of(op, "value", to.x.dtype()));
  return elements_at(to.index, to.axis)(to.x, updates, reduction_of(op));
}
Value scatter_add(OpContext& op) {
  const Destination to(op);
  return elements_at(to.index, to.axis)(to.x, op.value("src"), ScatterReduce::sum);
}
Value scatter_reduce(OpContext& op) {
  const Destination to(op);
  const Value updates = to.x.rank() == 0 ? op.value("src") : fitted(op.value("src"), to.index, -1);
  return reduced(to.x, updates, reduction_of(op), op.flag("include_self"),
                 elements_at(to.index, to.axis));
}

// ---- whole slices ----

Value index_add(OpContext& op) {
  const Destination to(op);
  Value source = op.value("source");
  if (const c10::Scalar alpha = op.scalar("alpha"); alpha.toDouble() != 1) {
    source = source * op.net().scalar(alpha.toDouble(), source.dtype(), source.rank());
  }
  return slices_at(to.index, to.axis)(to.x, source, ScatterReduce::sum);
}
Value index_copy(OpContext& op) {
  const Destination to(op);
  return slices_at(to.index, to.axis)(to.x, op.value("source"), ScatterReduce::none);
}
Value index_reduce(OpContext& op) {
  const Destination to(op);
  return reduced(to.x, op.value("source"), reduction_of(op), op.flag("include_self"),
                 slices_at(to.index, to.axis));
}
Value index_fill(OpContext& op) {
  auto& net = op.net();
  const Destination to(op);
  const Value given = to.index.rank() == 0 ? net.unsqueeze(to.index, {0}) : to.index;
  const Value index = non_negative(op, given, net.size(to.x, to.axis));
  Sizes shape = net.sizes(to.x);
  shape[static_cast<std::size_t>(to.axis)] = net.size(index, 0);
  return slices_at(index, to.axis)(to.x, expanded(scalar_of(op, "value", to.x.dtype()), shape),
                                   ScatterReduce::none);
}

// ---- index_put ----

/// x[mask] = number needs no positions: it is a select.
std::optional<Value> masked_fill(OpContext& op, Value x, Value values) {
  const auto indices = op.optional_values("indices");
  const auto given =
      std::find_if(indices.begin(), indices.end(), [](const auto& i) { return i.has_value(); });
  if (given == indices.end() ||
      std::count_if(given, indices.end(), [](const auto& i) { return i.has_value(); }) != 1) {
    return std::nullopt;
  }
  const Value mask = **given;
  const bool one_value = values.type().is_static() && core::volume(values.dims()) == 1;
  if (mask.dtype() != DType::b || !one_value) return std::nullopt;
  auto& net = op.net();
  const int after = x.rank() - static_cast<int>(given - indices.begin()) - mask.rank();
  core::Ints axes;
  for (int i = 0; i < after; ++i) axes.push_back(mask.rank() + i);
  const Value number = values.rank() == 0 ? values : net.reshape(values, {});
  return net.select(axes.empty() ? mask : net.unsqueeze(mask, axes), number, x);
}

/// `values` broadcast to x[selection], with the index's dimensions in front.
Value aligned_updates(Value x, const Selection& s, Value values) {
  auto& net = x.builder();
  const int at = s.position();
  Sizes shape;
  for (int i = 0; i < x.rank(); ++i) {
    if (std::find(s.axes.begin(), s.axes.end(), i) == s.axes.end()) shape.push_back(net.size(x, i));
  }
  const Sizes dims = net.sizes(s.index);
  shape.insert(shape.begin() + at, dims.begin(), dims.end());
  core::Ints from, to;
  for (int i = 0; i < s.index.rank(); ++i) {
    from.push_back(at + i);
    to.push_back(i);
  }
  const Value wide = expanded(values, shape);
  return permuted(wide, moving(wide.rank(), from, to));
}

Value index_put(OpContext& op) {
  auto& net = op.net();
  const Value x = op.value("self");
  const Value values = net.cast(op.value("values"), x.dtype());
  const bool accumulate = op.flag("accumulate");
  if (!accumulate) {
    if (const auto y = masked_fill(op, x, values)) return *y;
  }
  const Selection s = selection(op, x, op.optional_values("indices"));
  if (s.axes.empty()) {
    const Value wide = expanded(values, net.sizes(x));
    return accumulate ? x + wide : wide;
  }
  core::Ints front;
  for (std::size_t i = 0; i < s.axes.size(); ++i) front.push_back(static_cast<std::int64_t>(i));
  const auto perm = moving(x.rank(), s.axes, front);
  const Value moved = permuted(x, perm);
  const Value rows = merged(moved, 0, static_cast<int>(s.axes.size()));
  const Value tuples = net.unsqueeze(s.index, {s.index.rank()});
  const ScatterReduce reduction = accumulate ? ScatterReduce::sum : ScatterReduce::none;
  const Value y =
      net.one(core::ScatterNd{reduction}, {rows, tuples, aligned_updates(x, s, values)});
  return permuted(s.axes.size() == 1 ? y : reshaped(y, net.sizes(moved)), inverse(perm));
}

// ---- writing into a view ----

/// x with src in place of the elements of `range`.
Value with_range(Value x, Value src, int axis, const Range& range, std::int64_t step) {
  auto& net = x.builder();
  const Size dim = net.size(x, axis);
  if (step != 1) {
    const Value index = window_indices(net, range.size, 1, step);
    const Value places = net.squeeze(index, {1}) + net.value(range.start);
    return slices_at(places, axis)(x, src, ScatterReduce::none);
  }
  const Size end = net.add(range.start, range.size);
  std::vector<Value> parts;
  if (!is_number(range.start, 0)) parts.push_back(sliced(x, axis, 0, range.start));
  parts.push_back(src);
  const bool to_the_end = number(end) && number(dim) ? *number(end) == *number(dim) : false;
  if (!to_the_end) parts.push_back(sliced(x, axis, end, net.sub(dim, end)));
  return parts.size() == 1 ? src : net.concat(parts, axis);
}

Value slice_scatter(OpContext& op) {
  auto& net = op.net();
  const Value x = op.value("self"), src = net.cast(op.value("src"), x.dtype());
  const int axis = op.axis("dim", x.rank());
  const std::int64_t step = op.integer("step");
  const auto start = op.optional_size("start"), end = op.optional_size("end");
  const Range range = python_range(net, net.size(x, axis), start, end, step);
  if (step == 1 && is_number(range.start, 0) &&
      (!end || bounds(*end).least >= bounds(net.size(x, axis)).greatest)) {
    return expanded(src, net.sizes(x));
  }
  Sizes shape = net.sizes(x);
  shape[static_cast<std::size_t>(axis)] = range.size;
  return with_range(x, expanded(src, shape), axis, range, step);
}

Value select_scatter(OpContext& op) {
  auto& net = op.net();
  const Value x = op.value("self"), src = net.cast(op.value("src"), x.dtype());
  const int axis = op.axis("dim", x.rank());
  const Size index = wrapped(net, op.size("index"), net.size(x, axis));
  return with_range(x, net.unsqueeze(src, {axis}), axis, {index, 1}, 1);
}

}  // namespace

void add_scatter_ops(OpTable& table) {
  table.add<scatter_src>(
      "aten::scatter.src(Tensor self, int dim, Tensor index, Tensor src) -> Tensor");
  table.add<scatter_value>(
      "aten::scatter.value(Tensor self, int dim, Tensor index, Scalar value) -> Tensor");
  table.add<scatter_src_reduce>(
      "aten::scatter.reduce(Tensor self, int dim, Tensor index, Tensor src, *, str reduce) -> "
      "Tensor");
  table.add<scatter_value_reduce>(
      "aten::scatter.value_reduce(Tensor self, int dim, Tensor index, Scalar value, *, str reduce) "
      "-> Tensor");
  table.add<scatter_add>(
      "aten::scatter_add(Tensor self, int dim, Tensor index, Tensor src) -> Tensor");
  table.add<scatter_reduce>(
      "aten::scatter_reduce.two(Tensor self, int dim, Tensor index, Tensor src, str reduce, *, "
      "bool "
      "include_self=True) -> Tensor");
  table.add<index_add>(
      "aten::index_add(Tensor self, int dim, Tensor index, Tensor source, *, Scalar alpha=1) -> "
      "Tensor");
  table.add<index_copy>(
      "aten::index_copy(Tensor self, int dim, Tensor index, Tensor source) -> Tensor");
  table.add<index_reduce>(
      "aten::index_reduce(Tensor self, int dim, Tensor index, Tensor source, str reduce, *, bool "
      "include_self=True) -> "
      "Tensor");
  table
      .add<index_fill>(
          "aten::index_fill.int_Scalar(Tensor self, int dim, Tensor index, Scalar value) -> Tensor")
      .also("aten::index_fill.int_Tensor");
  table
      .add<index_put>(
          "aten::index_put(Tensor self, Tensor?[] indices, Tensor values, bool accumulate=False) "
          "-> Tensor")
      .also("aten::index_put.hacked_twin")
      .also("aten::_unsafe_index_put")
      .also("aten::_unsafe_index_put.hacked_twin");
  table.add<slice_scatter>(
      "aten::slice_scatter(Tensor self, Tensor src, int dim=0, SymInt? start=None, SymInt? "
      "end=None, SymInt step=1) -> "
      "Tensor");
  table.add<select_scatter>(
      "aten::select_scatter(Tensor self, Tensor src, int dim, SymInt index) -> Tensor");
}

}  // namespace torch_tensorrt::compiler
