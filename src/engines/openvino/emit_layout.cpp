// Layout layers: they move elements and change none.

#include <algorithm>
#include <limits>

#include "core/error.h"
#include "engines/openvino/emit.h"

namespace torch_tensorrt::engines::openvino {

using core::Ints;
using core::PadMode;

namespace {

constexpr std::int64_t kBeforeFirst = std::numeric_limits<std::int32_t>::min() + 1;
constexpr std::int64_t kPastLast = std::numeric_limits<std::int32_t>::max();

/// The result's dims as a constant pattern: all known, or all but one and none of those zero.
std::optional<Ints> constant_pattern(const core::Dims& dims) {
  Ints pattern;
  int unknown = 0;
  bool empty = false;
  for (const core::Extent& dim : dims) {
    unknown += dim.is_static() ? 0 : 1;
    empty = empty || (dim.is_static() && dim.opt == 0);
    pattern.push_back(dim.is_static() ? dim.opt : -1);
  }
  if (unknown > 1 || (unknown == 1 && empty)) return std::nullopt;
  return pattern;
}

/// Where a slice stops. A negative step reaches index 0 only with a stop that is not taken for
/// "from the end".
Out slice_stop(const Site& site) {
  const auto start = site.numbers(1);
  const auto size = site.numbers(2);
  const auto step = site.numbers(3);
  if (start && size && step) {
    Ints stop;
    for (std::size_t i = 0; i < start->size(); ++i) {
      const std::int64_t end = (*start)[i] + (*size)[i] * (*step)[i];
      stop.push_back(end < 0 ? kBeforeFirst : end);
    }
    return vector_of(stop);
  }
  const Out stop = add(site.in(1), mul(site.in(2), site.in(3)));
  if (step && std::ranges::all_of(*step, [](std::int64_t s) { return s > 0; })) return stop;
  return select(make<op::v1::Less>(stop, scalar_of(0)), scalar_of(kBeforeFirst), stop);
}

Out wrap_pad(const Site& site) {
  const Ints begin = site.numbers(1).value();
  const Ints end = site.numbers(2).value();
  Out x = site.in(0);
  for (std::size_t i = 0; i < begin.size(); ++i) {
    const auto axis = static_cast<std::int64_t>(i);
    Outs parts;
    if (begin[i] > 0) parts.push_back(slice(x, axis, -begin[i], kPastLast));
    parts.push_back(x);
    if (end[i] > 0) parts.push_back(slice(x, axis, 0, end[i]));
    if (parts.size() > 1) x = concat(parts, axis);
  }
  return x;
}

}  // namespace

Outs emit(const core::Reshape&, const Site& site) {
  if (const auto pattern = constant_pattern(site.result().dims))
    return {reshape(site.in(0), *pattern)};
  return {make<op::v1::Reshape>(site.in(0), site.in(1), /*special_zero=*/false)};
}

Outs emit(const core::Transpose& layer, const Site& site) {
  return {transpose(site.in(0), layer.perm)};
}

Outs emit(const core::Squeeze& layer, const Site& site) {
  if (layer.axes.empty()) return {site.in(0)};
  return {make<op::v0::Squeeze>(site.in(0), vector_of(layer.axes))};
}

Outs emit(const core::Unsqueeze& layer, const Site& site) {
  if (layer.axes.empty()) return {site.in(0)};
  return {unsqueeze(site.in(0), layer.axes)};
}

Outs emit(const core::Broadcast&, const Site& site) {
  if (site.rank() == 0) return {site.in(0)};
  const Out shape =
      site.result().is_static() ? vector_of(core::static_dims(site.result().dims)) : site.in(1);
  return {make<op::v3::Broadcast>(site.in(0), shape)};
}

Outs emit(const core::Concat& layer, const Site& site) {
  return {concat(site.operands(), layer.axis)};
}

Outs emit(const core::Split& layer, const Site& site) {
  return outputs_of(std::make_shared<op::v1::VariadicSplit>(site.in(0), scalar_of(layer.axis),
                                                            vector_of(layer.sizes)));
}

Outs emit(const core::Slice& layer, const Site& site) {
  if (layer.axes.empty()) return {site.in(0)};
  return {make<op::v8::Slice>(site.in(0), site.in(1), slice_stop(site), site.in(3),
                              vector_of(layer.axes))};
}

Outs emit(const core::Pad& layer, const Site& site) {
  const Out x = site.in(0);
  switch (layer.mode) {
    case PadMode::constant: {
      const Out value = site.has(3) ? site.in(3) : number(0, x.get_element_type());
      return {make<op::v12::Pad>(x, site.in(1), site.in(2), value, op::PadMode::CONSTANT)};
    }
    case PadMode::reflect:
      return {make<op::v12::Pad>(x, site.in(1), site.in(2), op::PadMode::REFLECT)};
    case PadMode::edge:
      return {make<op::v12::Pad>(x, site.in(1), site.in(2), op::PadMode::EDGE)};
    case PadMode::wrap:
      return {wrap_pad(site)};
  }
  throw core::internal_error("openvino: unknown pad mode");
}

Outs emit(const core::Tile&, const Site& site) {
  return {make<op::v0::Tile>(site.in(0), site.in(1))};
}

Outs emit(const core::Flip& layer, const Site& site) {
  const std::size_t count = layer.axes.size();
  if (count == 0) return {site.in(0)};
  return {make<op::v8::Slice>(site.in(0), vector_of(Ints(count, -1)),
                              vector_of(Ints(count, kBeforeFirst)), vector_of(Ints(count, -1)),
                              vector_of(layer.axes))};
}

Outs emit(const core::Roll& layer, const Site& site) {
  if (layer.axes.empty()) return {site.in(0)};
  return {make<op::v7::Roll>(site.in(0), vector_of(layer.shifts), vector_of(layer.axes))};
}

Outs emit(const core::ReverseSequence& layer, const Site& site) {
  return {make<op::v0::ReverseSequence>(site.in(0), site.in(1), layer.batch_axis, layer.seq_axis)};
}

}  // namespace torch_tensorrt::engines::openvino
