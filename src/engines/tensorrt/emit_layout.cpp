// Layout layers: they move elements and change none. Most are a slice: beyond the bounds it fills,
// repeats or mirrors.

#include <algorithm>

#include "core/error.h"
#include "engines/tensorrt/compose.h"

namespace torch_tensorrt::engines::tensorrt {

using core::PadMode;

namespace {

std::size_t at(std::int64_t axis) { return static_cast<std::size_t>(axis); }

std::string_view sample_mode(PadMode mode) {
  switch (mode) {
    case PadMode::constant:
      return "FILL";
    case PadMode::reflect:
      return "REFLECT";
    case PadMode::edge:
      return "CLAMP";
    case PadMode::wrap:
      return "WRAP";
  }
  throw core::internal_error("tensorrt: unknown pad mode");
}

}  // namespace

Tensors emit(const core::Reshape&, const Site& site) {
  const Ints dims = site.result_dims();
  const auto unknown = std::ranges::count(dims, -1);
  // One unknown size follows from the others, unless they are those of a tensor without elements.
  if (unknown == 0 || (unknown == 1 && !std::ranges::count(dims, 0)))
    return {site.net().reshape(site.in(0), dims)};
  return {site.net().reshape(site.in(0), site.in(1), dims)};
}

Tensors emit(const core::Transpose& layer, const Site& site) {
  return {site.net().transpose(site.in(0), layer.perm)};
}

Tensors emit(const core::Squeeze& layer, const Site& site) {
  return {site.net().squeeze(site.in(0), layer.axes)};
}

Tensors emit(const core::Unsqueeze& layer, const Site& site) {
  return {site.net().unsqueeze(site.in(0), layer.axes)};
}

Tensors emit(const core::Broadcast&, const Site& site) {
  if (site.rank() == 0) return {site.in(0)};
  const Ints dims = site.result_dims();
  if (std::ranges::count(dims, -1) == 0)
    return {site.net().broadcast(site.in(0), dims, std::nullopt)};
  return {site.net().broadcast(site.in(0), dims, site.in(1))};
}

Tensors emit(const core::Concat& layer, const Site& site) {
  Tensors parts;
  for (std::size_t i = 0; i < site.arity(); ++i) parts.push_back(site.in(i));
  return {site.net().concat(parts, layer.axis)};
}

Tensors emit(const core::Split& layer, const Site& site) {
  Tensors parts;
  std::int64_t start = 0;
  for (const std::int64_t size : layer.sizes) {
    parts.push_back(site.net().slice_axis(site.in(0), layer.axis, start, size));
    start += size;
  }
  return parts;
}

Tensors emit(const core::Slice& layer, const Site& site) {
  const Sizes start = host_sizes(site, 1), size = host_sizes(site, 2), step = host_sizes(site, 3);
  Cut cut = whole(site.net(), site.in(0));
  for (std::size_t i = 0; i < layer.axes.size(); ++i) {
    const std::size_t axis = at(layer.axes[i]);
    cut.start[axis] = start[i];
    cut.size[axis] = size[i];
    cut.step[axis] = step[i];
  }
  return {slice(site.net(), site.in(0), cut)};
}

Tensors emit(const core::Pad& layer, const Site& site) {
  Writer& net = site.net();
  const Sizes begin = host_sizes(site, 1), end = host_sizes(site, 2);
  Cut cut = whole(net, site.in(0));
  for (std::size_t i = 0; i < begin.size(); ++i) {
    cut.start[i] = minus(net, std::int64_t{0}, begin[i]);
    cut.size[i] = plus(net, plus(net, cut.size[i], begin[i]), end[i]);
  }
  cut.mode = sample_mode(layer.mode);
  // The default is zero, in every dtype.
  if (site.has(3)) cut.fill = site.in(3);
  return {slice(net, site.in(0), cut)};
}

Tensors emit(const core::Tile&, const Site& site) {
  Writer& net = site.net();
  const Sizes repeats = host_sizes(site, 1);
  Cut cut = whole(net, site.in(0));
  for (std::size_t i = 0; i < repeats.size(); ++i)
    cut.size[i] = times(net, cut.size[i], repeats[i]);
  cut.mode = "WRAP";
  return {slice(net, site.in(0), cut)};
}

Tensors emit(const core::Flip& layer, const Site& site) {
  Writer& net = site.net();
  const Tensor& x = site.in(0);
  // The last element of none is out of bounds.
  if (std::ranges::count(x.dims, 0)) return {x};
  Cut cut = whole(net, x);
  for (const std::int64_t axis : layer.axes) {
    cut.start[at(axis)] = minus(net, cut.size[at(axis)], std::int64_t{1});
    cut.step[at(axis)] = std::int64_t{-1};
  }
  return {slice(net, x, cut)};
}

Tensors emit(const core::Roll& layer, const Site& site) {
  Cut cut = whole(site.net(), site.in(0));
  for (std::size_t i = 0; i < layer.axes.size(); ++i)
    cut.start[at(layer.axes[i])] = -layer.shifts[i];
  cut.mode = "WRAP";
  return {slice(site.net(), site.in(0), cut)};
}

Tensors emit(const core::ReverseSequence& layer, const Site& site) {
  const Ref reverse = site.net().add("add_reverse_sequence", {site.in(0).ref, site.in(1).ref});
  site.net().set(reverse, "batch_axis", layer.batch_axis);
  site.net().set(reverse, "sequence_axis", layer.seq_axis);
  return {site.net().output(reverse, site.dtype(), site.result_dims())};
}

Tensors emit(const core::DepthToSpace& layer, const Site& site) {
  Writer& net = site.net();
  const Sizes x = sizes_of(net, site.in(0));
  const Size b = layer.block;
  const Size channels = over(net, x[1], layer.block * layer.block);
  const bool depth_first = layer.order == core::DepthOrder::depth_first;
  const Sizes parts = depth_first ? Sizes{x[0], channels, b, b, x[2], x[3]}
                                  : Sizes{x[0], b, b, channels, x[2], x[3]};
  const Ints perm = depth_first ? Ints{0, 1, 4, 2, 5, 3} : Ints{0, 3, 4, 1, 5, 2};
  const Tensor moved = net.transpose(reshape(net, site.in(0), parts), perm);
  return {reshape(net, moved, {x[0], channels, times(net, x[2], b), times(net, x[3], b)})};
}

Tensors emit(const core::SpaceToDepth& layer, const Site& site) {
  Writer& net = site.net();
  const Sizes x = sizes_of(net, site.in(0));
  const Size b = layer.block;
  const Size height = over(net, x[2], b), width = over(net, x[3], b);
  const bool depth_first = layer.order == core::DepthOrder::depth_first;
  const Ints perm = depth_first ? Ints{0, 1, 3, 5, 2, 4} : Ints{0, 3, 5, 1, 2, 4};
  const Tensor parts = reshape(net, site.in(0), {x[0], x[1], height, b, width, b});
  const Size channels = times(net, x[1], layer.block * layer.block);
  return {reshape(net, net.transpose(parts, perm), {x[0], channels, height, width})};
}

}  // namespace torch_tensorrt::engines::tensorrt
