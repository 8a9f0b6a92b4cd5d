#include <functional>
#include <numeric>

#include "compiler/conversion/converters/layout.h"

namespace torch_tensorrt::compiler {
namespace {

using core::Ints;

std::int64_t product(const Ints& numbers) {
  return std::accumulate(numbers.begin(), numbers.end(), std::int64_t{1}, std::multiplies<>());
}

/// `pool` on x [N,C,spatial..] with n spatial axes; x without a batch gets one for the time.
template <typename Pool>
Value with_batch(OpContext& op, std::size_t n, Pool&& pool) {
  const Value x = op.value("self");
  if (x.rank() == static_cast<int>(n) + 2) return pool(x);
  if (x.rank() != static_cast<int>(n) + 1) {
    throw op.refuse("self has rank ", x.rank(), ", expected ", n + 1, " or ", n + 2);
  }
  return op.net().squeeze(pool(op.net().unsqueeze(x, {0})), {0});
}

template <std::size_t n>
Value max_pool(OpContext& op) {
  const Window w = op.window(n, "kernel_size", "stride", "padding", "dilation");
  const bool ceil_mode = op.flag("ceil_mode");
  return with_batch(op, n, [&](Value x) {
    return op.net().one(
        core::MaxPool{w.kernel, w.stride, w.padding, w.padding, w.dilation, ceil_mode}, {x});
  });
}

void require_unused_indices(OpContext& op) {
  if (is_used(op.node(), 1))
    throw op.refuse("result 1, the indices, is used; no engine layer gives indices");
}

template <std::size_t n>
std::vector<Bound> max_pool_with_indices(OpContext& op) {
  require_unused_indices(op);
  return {max_pool<n>(op), unused()};
}

/// The sum over each window: pads are real zeros, so that every window is whole, also those that
/// ceil_mode adds.
Value window_sums(Value x, const Window& w, bool ceil_mode) {
  auto& net = x.builder();
  Sizes begin(2, Size(0)), end(2, Size(0)), sizes;
  for (std::size_t i = 0; i < w.kernel.size(); ++i) {
    begin.emplace_back(w.padding[i]);
    end.emplace_back(w.padding[i] + (ceil_mode ? w.stride[i] - 1 : 0));
  }
  const Value padded_x = padded(x, core::PadMode::constant, begin, end);
  const Ints none(w.kernel.size(), 0);
  Value y = net.one(core::AvgPool{w.kernel, w.stride, none, none}, {padded_x});
  for (std::size_t i = 0; ceil_mode && i < w.kernel.size(); ++i) {
    // A last window that would start in the end padding does not count.
    const int axis = static_cast<int>(i) + 2;
    const Size count = net.size(y, axis);
    const Size last_start = net.mul(net.sub(count, 1), w.stride[i]);
    const Size limit = net.add(net.size(x, axis), w.padding[i]);
    y = sliced(y, axis, 0, net.sub(count, at_least(net, last_start, limit)));
  }
  return y * static_cast<double>(product(w.kernel));
}

template <std::size_t n>
Value avg_pool(OpContext& op) {
  const Window w = op.window(n, "kernel_size", "stride", "padding");
  const bool ceil_mode = op.flag("ceil_mode"), include_pad = op.flag("count_include_pad");
  std::optional<std::int64_t> divisor;
  if constexpr (n > 1) divisor = op.optional_integer("divisor_override");
  return with_batch(op, n, [&](Value x) {
    if (divisor) return window_sums(x, w, ceil_mode) / static_cast<double>(*divisor);
    return op.net().one(
        core::AvgPool{w.kernel, w.stride, w.padding, w.padding, ceil_mode, include_pad}, {x});
  });
}

bool all_ones(const Ints& sizes) {
  return std::all_of(sizes.begin(), sizes.end(), [](std::int64_t s) { return s == 1; });
}

Ints spatial(std::size_t n) {
  Ints axes(n);
  std::iota(axes.begin(), axes.end(), 2);
  return axes;
}

template <std::size_t n>
Value adaptive_avg_pool(OpContext& op) {
  const Ints size = op.expanded("output_size", n);
  return with_batch(op, n, [&](Value x) {
    if (all_ones(size)) return op.net().reduce(core::ReduceOp::mean, x, spatial(n), true);
    return op.net().one(core::AdaptiveAvgPool{size}, {x});
  });
}

/// One axis: window i is [floor(i*in/out), ceil((i+1)*in/out)); shorter windows repeat their last
/// element.
Value adaptive_max_along(Value x, int axis, std::int64_t in, std::int64_t out) {
  auto& net = x.builder();
  std::int64_t longest = 1;
  const auto first = [&](std::int64_t i) { return i * in / out; };
  const auto last = [&](std::int64_t i) { return ((i + 1) * in + out - 1) / out - 1; };
  for (std::int64_t i = 0; i < out; ++i) longest = std::max(longest, last(i) - first(i) + 1);
  Ints indices;
  for (std::int64_t i = 0; i < out; ++i) {
    for (std::int64_t j = 0; j < longest; ++j) indices.push_back(std::min(first(i) + j, last(i)));
  }
  const Value windows = net.reshape(net.ints(indices), {Size(out), Size(longest)});
  return net.reduce(core::ReduceOp::max, net.gather(x, windows, axis), {axis + 1}, false);
}

Value adaptive_max(OpContext& op, Value x, const Ints& size) {
  if (all_ones(size)) return op.net().reduce(core::ReduceOp::max, x, spatial(size.size()), true);
  Ints window;
  bool divisible = true;
  for (std::size_t i = 0; i < size.size(); ++i) {
    const core::Extent& dim = x.dim(static_cast<int>(i) + 2);
    if (dim.dynamic)
      throw op.refuse("self has the dynamic size ", to_text(dim), " at axis ", i + 2,
                      ", expected a ", "static one for an output size of ", size[i]);
    divisible &= dim.min % size[i] == 0;
    window.push_back(dim.min / size[i]);
  }
  const Ints none(size.size(), 0);
  if (divisible)
    return op.net().one(core::MaxPool{window, window, none, none, Ints(size.size(), 1)}, {x});
  for (std::size_t i = 0; i < size.size(); ++i) {
    const int axis = static_cast<int>(i) + 2;
    x = adaptive_max_along(x, axis, x.dim(axis).min, size[i]);
  }
  return x;
}

template <std::size_t n>
std::vector<Bound> adaptive_max_pool(OpContext& op) {
  require_unused_indices(op);
  const Ints size = op.expanded("output_size", n);
  return {with_batch(op, n, [&](Value x) { return adaptive_max(op, x, size); }), unused()};
}

}  // namespace

void add_pooling_ops(OpTable& table) {
  table.add<max_pool<1>>(
      "aten::max_pool1d(Tensor self, int[1] kernel_size, int[1] stride=[], int[1] padding=[0], "
      "int[1] dilation=[1], "
      "bool ceil_mode=False) -> Tensor");
  table.add<max_pool<2>>(
      "aten::max_pool2d(Tensor self, int[2] kernel_size, int[2] stride=[], int[2] padding=0, "
      "int[2] dilation=1, bool "
      "ceil_mode=False) -> Tensor");
  table.add<max_pool<3>>(
      "aten::max_pool3d(Tensor self, int[3] kernel_size, int[3] stride=[], int[3] padding=0, "
      "int[3] dilation=1, bool "
      "ceil_mode=False) -> Tensor");
  table.add(
      "aten::max_pool1d_with_indices(Tensor self, int[1] kernel_size, int[1] stride=[], int[1] "
      "padding=[0], int[1] "
      "dilation=[1], bool ceil_mode=False) -> (Tensor, Tensor)",
      max_pool_with_indices<1>);
  table.add(
      "aten::max_pool2d_with_indices(Tensor self, int[2] kernel_size, int[2] stride=[], int[2] "
      "padding=0, int[2] "
      "dilation=1, bool ceil_mode=False) -> (Tensor, Tensor)",
      max_pool_with_indices<2>);
  table.add(
      "aten::max_pool3d_with_indices(Tensor self, int[3] kernel_size, int[3] stride=[], int[3] "
      "padding=0, int[3] "
      "dilation=1, bool ceil_mode=False) -> (Tensor, Tensor)",
      max_pool_with_indices<3>);
  table.add<avg_pool<1>>(
      "aten::avg_pool1d(Tensor self, int[1] kernel_size, int[1] stride=[], int[1] padding=[0], "
      "bool ceil_mode=False, "
      "bool count_include_pad=True) -> Tensor");
  table.add<avg_pool<2>>(
      "aten::avg_pool2d(Tensor self, int[2] kernel_size, int[2] stride=[], int[2] padding=0, bool "
      "ceil_mode=False, bool "
      "count_include_pad=True, int? divisor_override=None) -> Tensor");
  table.add<avg_pool<3>>(
      "aten::avg_pool3d(Tensor self, int[3] kernel_size, int[3] stride=[], int[3] padding=0, bool "
      "ceil_mode=False, bool "
      "count_include_pad=True, int? divisor_override=None) -> Tensor");
  table.add<adaptive_avg_pool<1>>(
      "aten::adaptive_avg_pool1d(Tensor self, int[1] output_size) -> Tensor");
  table
      .add<adaptive_avg_pool<2>>(
          "aten::adaptive_avg_pool2d(Tensor self, SymInt[2] output_size) -> Tensor")
      .also("aten::_adaptive_avg_pool2d");
  table
      .add<adaptive_avg_pool<3>>(
          "aten::adaptive_avg_pool3d(Tensor self, SymInt[3] output_size) -> Tensor")
      .also("aten::_adaptive_avg_pool3d");
  table.add("aten::adaptive_max_pool1d(Tensor self, int[1] output_size) -> (Tensor, Tensor)",
            adaptive_max_pool<1>);
  table.add("aten::adaptive_max_pool2d(Tensor self, int[2] output_size) -> (Tensor, Tensor)",
            adaptive_max_pool<2>);
  table.add("aten::adaptive_max_pool3d(Tensor self, int[3] output_size) -> (Tensor, Tensor)",
            adaptive_max_pool<3>);
}

}  // namespace torch_tensorrt::compiler
