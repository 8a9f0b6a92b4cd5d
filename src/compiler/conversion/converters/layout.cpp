#include "compiler/conversion/converters/layout.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <limits>
#include <numeric>

namespace torch_tensorrt::compiler {
namespace {

constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kGreatest = std::numeric_limits<std::int64_t>::max();

bool reads(const Argument& argument, const Var* var) {
  bool found = false;
  for_each_var(argument, [&](Var* v) { found |= v == var; });
  return found;
}

bool reads(const Block& block, const Var* var) {
  const auto any = [&](const std::vector<Argument>& arguments) {
    return std::any_of(arguments.begin(), arguments.end(),
                       [&](const Argument& a) { return reads(a, var); });
  };
  if (any(block.outputs)) return true;
  for (const auto& node : block.nodes) {
    if (any(node->args)) return true;
    for (const auto& inner : node->blocks) {
      if (reads(*inner, var)) return true;
    }
  }
  return false;
}

}  // namespace

// ---- sizes ----

Bounds bounds(const Size& size) {
  if (const auto* n = number(size)) return {*n, *n};
  const core::Content* content = std::get<Value>(size).content();
  if (content == nullptr || content->size() != 1) return {kLeast, kGreatest};
  const core::Extent& e = content->front();
  return {std::min({e.min, e.opt, e.max}), std::max({e.min, e.opt, e.max})};
}

Size lesser(core::NetworkBuilder& net, const Size& a, const Size& b) {
  if (bounds(a).greatest <= bounds(b).least) return a;
  if (bounds(b).greatest <= bounds(a).least) return b;
  return net.min(a, b);
}

Size greater(core::NetworkBuilder& net, const Size& a, const Size& b) {
  if (bounds(a).least >= bounds(b).greatest) return a;
  if (bounds(b).least >= bounds(a).greatest) return b;
  return net.max(a, b);
}

Size at_least(core::NetworkBuilder& net, const Size& a, const Size& b) {
  if (bounds(a).least >= bounds(b).greatest) return 1;
  if (bounds(a).greatest < bounds(b).least) return 0;
  const Size above = net.add(net.sub(a, b), 1);
  return net.max(net.min(above, 1), 0);
}

Size wrapped(core::NetworkBuilder& net, const Size& index, const Size& dim) {
  const Bounds known = bounds(index);
  if (known.least >= 0) return index;
  if (known.greatest < 0) return net.add(index, dim);
  return net.add(index, net.mul(dim, at_least(net, -1, index)));
}

Range python_range(core::NetworkBuilder& net, const Size& dim, const std::optional<Size>& start,
                   const std::optional<Size>& end, std::int64_t step) {
  const Size zero = 0;
  const auto bound = [&](const Size& given) {
    // Beyond the end, whatever the dimension: no arithmetic on numbers like 2^63 - 1.
    if (bounds(given).least >= bounds(dim).greatest) return dim;
    return lesser(net, greater(net, wrapped(net, given, dim), zero), dim);
  };
  const Size first = start ? bound(*start) : zero;
  const Size last = end ? bound(*end) : dim;
  Size size = is_number(first, 0) ? last : greater(net, net.sub(last, first), zero);
  if (step != 1) size = net.floor_div(net.add(size, step - 1), step);
  return {first, size};
}

Value sliced(Value x, int axis, const Range& range, std::int64_t step) {
  const core::Extent& dim = x.dim(axis);
  const auto* size = number(range.size);
  if (step == 1 && is_number(range.start, 0) && size && dim.is_static() && dim.min == *size)
    return x;
  return x.builder().slice(x, axis, range.start, range.size, step);
}

Value sliced(Value x, int axis, const Size& start, const Size& size) {
  return sliced(x, axis, Range{start, size});
}

Value element(Value x, int axis, const Size& index) {
  return x.builder().squeeze(sliced(x, axis, index, 1), {axis});
}

// ---- layout ----

Value reshaped(Value x, Sizes shape) {
  Size* unknown = nullptr;
  int unknowns = 0;
  std::int64_t known = 1;
  for (Size& size : shape) {
    const auto* n = number(size);
    if (n == nullptr || *n < 0) {
      unknown = &size;
      ++unknowns;
    } else {
      known *= *n;
    }
  }
  // -1 means nothing where another size is 0, so such a shape stays as it is.
  if (unknowns == 1 && known != 0) {
    *unknown = x.type().is_static() ? core::volume(x.dims()) / known : -1;
  }
  return x.builder().reshape(x, shape);
}

Value merged(Value x, int first, int count) {
  if (count == 1) return x;
  auto& net = x.builder();
  Sizes shape;
  Size product = 1;
  for (int i = 0; i < x.rank(); ++i) {
    const bool inside = first <= i && i < first + count;
    if (inside) product = net.mul(product, net.size(x, i));
    if (i == first + count - 1) shape.push_back(product);
    if (!inside) shape.push_back(net.size(x, i));
  }
  return reshaped(x, shape);
}

Value unmerged(Value x, int axis, const Sizes& sizes) {
  Sizes shape;
  for (int i = 0; i < x.rank(); ++i) {
    if (i == axis) {
      shape.insert(shape.end(), sizes.begin(), sizes.end());
    } else {
      shape.push_back(x.builder().size(x, i));
    }
  }
  return reshaped(x, shape);
}

Value flattened(Value x) { return x.rank() == 1 ? x : x.builder().reshape(x, {Size(-1)}); }

Value permuted(Value x, const std::vector<std::int64_t>& perm) {
  for (std::size_t i = 0; i < perm.size(); ++i) {
    if (perm[i] != static_cast<std::int64_t>(i)) return x.builder().transpose(x, perm);
  }
  return x;
}

std::vector<std::int64_t> moving(int rank, const std::vector<std::int64_t>& from,
                                 const std::vector<std::int64_t>& to) {
  std::vector<std::int64_t> perm(static_cast<std::size_t>(rank), -1);
  for (std::size_t i = 0; i < from.size(); ++i) perm[static_cast<std::size_t>(to[i])] = from[i];
  std::int64_t next = 0;
  for (std::int64_t& p : perm) {
    if (p != -1) continue;
    while (std::find(from.begin(), from.end(), next) != from.end()) ++next;
    p = next++;
  }
  return perm;
}

std::vector<std::int64_t> inverse(const std::vector<std::int64_t>& perm) {
  std::vector<std::int64_t> out(perm.size());
  for (std::size_t i = 0; i < perm.size(); ++i)
    out[static_cast<std::size_t>(perm[i])] = static_cast<std::int64_t>(i);
  return out;
}

Value with_rank(Value x, int rank) {
  auto& net = x.builder();
  if (x.rank() == 0 && rank > 0) x = net.unsqueeze(x, {0});
  if (x.rank() == 1 && rank > 1) x = net.unsqueeze(x, {0});
  if (x.rank() == 2 && rank > 2) x = net.unsqueeze(x, {2});
  return x;
}

Value expanded(Value x, const Sizes& shape) {
  auto& net = x.builder();
  const int rank = static_cast<int>(shape.size());
  x = net.align_rank(x, rank);
  Sizes target = shape;
  bool changes = false;
  for (int i = 0; i < rank; ++i) {
    Size& size = target[static_cast<std::size_t>(i)];
    const core::Extent& dim = x.dim(i);
    if (is_number(size, -1) || (dim.is_static() && dim.min != 1)) {
      size = net.size(x, i);
    } else if (!(number(size) && dim.is_static() && dim.min == *number(size))) {
      changes = true;
    }
  }
  return changes ? net.broadcast(x, target) : x;
}

Size broadcast_size(core::NetworkBuilder& net, const Size& a, const Size& b) {
  if (is_number(a, 1)) return b;
  if (is_number(b, 1)) return a;
  if (number(a)) return a;
  if (number(b)) return b;
  return net.max(a, b);
}

Sizes broadcast_sizes(core::NetworkBuilder& net, const std::vector<Value>& xs) {
  std::size_t rank = 0;
  for (const Value& x : xs) rank = std::max(rank, static_cast<std::size_t>(x.rank()));
  Sizes out(rank, Size(1));
  for (const Value& x : xs) {
    const std::size_t offset = rank - static_cast<std::size_t>(x.rank());
    for (int i = 0; i < x.rank(); ++i) {
      Size& size = out[offset + static_cast<std::size_t>(i)];
      const core::Extent& dim = x.dim(i);
      if (dim.is_static() ? dim.min == 1 : (number(size) && *number(size) != 1)) continue;
      size = broadcast_size(net, size, net.size(x, i));
    }
  }
  return out;
}

bool same_dims(Value a, Value b) { return a.dims() == b.dims(); }

// ---- pads and windows ----

Value padded(Value x, core::PadMode mode, const Sizes& begin, const Sizes& end,
             std::optional<Value> value) {
  auto& net = x.builder();
  const auto grown = [&](const Sizes& amounts) {
    Sizes out;
    for (const Size& amount : amounts) out.push_back(greater(net, amount, 0));
    return out;
  };
  const auto is_zero = [](const Size& s) { return is_number(s, 0); };
  const Sizes before = grown(begin), after = grown(end);
  if (!std::all_of(before.begin(), before.end(), is_zero) ||
      !std::all_of(after.begin(), after.end(), is_zero)) {
    std::vector<Value> inputs = {x, net.vector(before), net.vector(after)};
    if (value) inputs.push_back(*value);
    x = net.add(core::Pad{.mode = mode}, inputs).front();
  }
  for (int axis = 0; axis < x.rank(); ++axis) {
    const std::size_t i = static_cast<std::size_t>(axis);
    if (bounds(begin[i]).least >= 0 && bounds(end[i]).least >= 0) continue;
    const Size start = greater(net, net.sub(0, begin[i]), 0);
    const Size cut = net.add(start, greater(net, net.sub(0, end[i]), 0));
    x = sliced(x, axis, start, net.sub(net.size(x, axis), cut));
  }
  return x;
}

Value window_indices(core::NetworkBuilder& net, const Size& windows, std::int64_t size,
                     std::int64_t step, std::int64_t spread) {
  core::Ints within(static_cast<std::size_t>(size));
  for (std::int64_t j = 0; j < size; ++j) within[static_cast<std::size_t>(j)] = j * spread;
  if (const auto* count = number(windows)) {
    core::Ints all;
    for (std::int64_t i = 0; i < *count; ++i) {
      for (const std::int64_t j : within) all.push_back(i * step + j);
    }
    return net.reshape(net.ints(all), {windows, Size(size)});
  }
  const Value starts = net.range(net.scalar_i64(0), net.scalar_i64(step), net.value(windows));
  return net.unsqueeze(starts, {1}) + net.ints(within);
}

// ---- the graph ----

std::optional<at::Tensor> constant_data(Value x) {
  const core::Tensor* tensor = x.builder().network().constant(x.id());
  if (tensor == nullptr) return std::nullopt;
  const auto owner = tensor->bytes.owner();
  // at::Tensor has no const data; nothing writes to it.
  void* data = const_cast<std::byte*>(tensor->bytes.data());
  return at::from_blob(
      data, tensor->dims, [owner](void*) {}, at::TensorOptions().dtype(to_torch(tensor->dtype)));
}

bool is_used(const Node& node, std::size_t index) {
  return node.owner == nullptr || reads(*node.owner, node.outputs.at(index));
}

std::size_t list_length(OpContext& op, std::size_t index) {
  const Var* list = op.node().outputs.at(index);
  if (!list->fact || list->fact->samples.empty()) {
    throw op.refuse("the length of its list result is not known: ", list->unknown_because);
  }
  std::optional<std::size_t> length;
  for (const c10::IValue& sample : list->fact->samples) {
    const std::size_t n =
        sample.isTensorList() ? sample.toTensorList().size() : sample.toListRef().size();
    if (length && *length != n) {
      throw op.refuse("its list result has ", *length, " or ", n,
                      " elements depending on the input shapes, expected a ",
                      "length that does not change");
    }
    length = n;
  }
  return *length;
}

}  // namespace torch_tensorrt::compiler
