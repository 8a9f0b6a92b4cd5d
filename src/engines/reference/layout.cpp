#include <ATen/ATen.h>

#include <algorithm>

#include "core/error.h"
#include "engines/reference/layers.h"

namespace torch_tensorrt::engines::reference {
namespace {

using core::DepthOrder;
using core::PadMode;

at::Tensor positions(const at::Tensor& x, std::int64_t begin, std::int64_t end) {
  return at::arange(begin, end, x.options().dtype(at::kLong));
}

// Which element of an axis of n elements stands at position p (before, in or behind the axis).
at::Tensor source_of(const at::Tensor& p, std::int64_t n, PadMode mode) {
  switch (mode) {
    case PadMode::reflect:
      return (n - 1) - ((n - 1) - p.abs()).abs();
    case PadMode::edge:
      return p.clamp(0, n - 1);
    case PadMode::wrap:
      return p.remainder(n);
    case PadMode::constant:
      break;
  }
  throw core::internal_error("reference: pad mode ", static_cast<int>(mode), " copies nothing");
}

at::Tensor pad_constant(const Call& call, const core::Ints& begin, const core::Ints& end) {
  core::Ints amounts;
  for (std::size_t i = begin.size(); i-- > 0;) {
    amounts.push_back(begin[i]);
    amounts.push_back(end[i]);
  }
  return at::constant_pad_nd(call[0], amounts, call.has(3) ? call[3].item() : at::Scalar(0));
}

}  // namespace

Tensors evaluate(const core::Reshape&, const Call& call) { return {call[0].reshape(call.ints(1))}; }

Tensors evaluate(const core::Transpose& layer, const Call& call) {
  return {call[0].permute(layer.perm)};
}

Tensors evaluate(const core::Squeeze& layer, const Call& call) {
  return {call[0].squeeze(layer.axes)};
}

Tensors evaluate(const core::Unsqueeze& layer, const Call& call) {
  core::Ints axes = layer.axes;
  std::ranges::sort(axes);
  at::Tensor x = call[0];
  for (const std::int64_t axis : axes) x = x.unsqueeze(axis);
  return {x};
}

Tensors evaluate(const core::Broadcast&, const Call& call) {
  return {call[0].expand(call.ints(1))};
}

Tensors evaluate(const core::Concat& layer, const Call& call) {
  return {at::cat(call.from(0), layer.axis)};
}

Tensors evaluate(const core::Split& layer, const Call& call) {
  return at::split_with_sizes(call[0], layer.sizes, layer.axis);
}

Tensors evaluate(const core::Slice& layer, const Call& call) {
  const core::Ints start = call.ints(1);
  const core::Ints size = call.ints(2);
  const core::Ints step = call.ints(3);
  at::Tensor x = call[0];
  for (std::size_t i = 0; i < layer.axes.size(); ++i) {
    const at::Tensor picked = positions(x, 0, size.at(i)) * step.at(i) + start.at(i);
    x = x.index_select(layer.axes[i], picked);
  }
  return {x};
}

Tensors evaluate(const core::Pad& layer, const Call& call) {
  const core::Ints begin = call.ints(1);
  const core::Ints end = call.ints(2);
  if (layer.mode == PadMode::constant) return {pad_constant(call, begin, end)};
  at::Tensor x = call[0];
  for (std::size_t i = 0; i < begin.size(); ++i) {
    if (begin[i] == 0 && end[i] == 0) continue;
    const auto axis = static_cast<std::int64_t>(i);
    const std::int64_t n = x.size(axis);
    x = x.index_select(axis, source_of(positions(x, -begin[i], n + end[i]), n, layer.mode));
  }
  return {x};
}

Tensors evaluate(const core::Tile&, const Call& call) { return {call[0].repeat(call.ints(1))}; }

Tensors evaluate(const core::Flip& layer, const Call& call) {
  return {at::flip(call[0], layer.axes)};
}

Tensors evaluate(const core::Roll& layer, const Call& call) {
  return {at::roll(call[0], layer.shifts, layer.axes)};
}

Tensors evaluate(const core::ReverseSequence& layer, const Call& call) {
  const at::Tensor x = call[0].movedim({layer.batch_axis, layer.seq_axis}, {0, 1});
  const at::Tensor length = call[1].to(at::kLong).unsqueeze(1);
  const at::Tensor time = positions(x, 0, x.size(1)).unsqueeze(0);
  at::Tensor source = at::where(time < length, length - 1 - time, time);
  for (std::int64_t i = 2; i < x.dim(); ++i) source = source.unsqueeze(i);
  const at::Tensor reversed = at::gather(x, 1, source.expand(x.sizes()));
  return {reversed.movedim({0, 1}, {layer.batch_axis, layer.seq_axis})};
}

Tensors evaluate(const core::DepthToSpace& layer, const Call& call) {
  const at::Tensor& x = call[0];
  if (layer.order == DepthOrder::depth_first) return {at::pixel_shuffle(x, layer.block)};
  const std::int64_t b = layer.block;
  const std::int64_t depth = x.size(1) / (b * b);
  return {x.reshape({x.size(0), b, b, depth, x.size(2), x.size(3)})
              .permute({0, 3, 4, 1, 5, 2})
              .reshape({x.size(0), depth, x.size(2) * b, x.size(3) * b})};
}

Tensors evaluate(const core::SpaceToDepth& layer, const Call& call) {
  const at::Tensor& x = call[0];
  if (layer.order == DepthOrder::depth_first) return {at::pixel_unshuffle(x, layer.block)};
  const std::int64_t b = layer.block;
  return {x.reshape({x.size(0), x.size(1), x.size(2) / b, b, x.size(3) / b, b})
              .permute({0, 3, 5, 1, 2, 4})
              .reshape({x.size(0), x.size(1) * b * b, x.size(2) / b, x.size(3) / b})};
}

}  // namespace torch_tensorrt::engines::reference
