// Normalizations.

#include "engines/openvino/emit.h"

namespace torch_tensorrt::engines::openvino {

using core::Ints;

namespace {

Ints trailing_axes(const Site& site, std::int64_t first) {
  return iota(site.rank() - static_cast<int>(first), first);
}

Out normalized(const Out& x, const Ints& axes, double eps) {
  return make<op::v6::MVN>(x, vector_of(axes), true, static_cast<float>(eps),
                           op::MVNEpsMode::INSIDE_SQRT);
}

/// y * scale + bias, where these are given, along the channels.
Out with_affine(const Site& site, Out y) {
  const auto channels = [&](std::size_t operand) {
    return unsqueeze(site.in(operand), iota(site.rank() - 2, 1));
  };
  if (site.has(1)) y = mul(y, channels(1));
  if (site.has(2)) y = add(y, channels(2));
  return y;
}

}  // namespace

Outs emit(const core::BatchNorm& layer, const Site& site) {
  const auto type = site.in(0).get_element_type();
  const auto parameter = [&](std::size_t i) { return convert(site.in(i), type); };
  return {make<op::v5::BatchNormInference>(site.in(0), parameter(1), parameter(2), parameter(3),
                                           parameter(4), layer.eps)};
}

Outs emit(const core::LayerNorm& layer, const Site& site) {
  Out y = normalized(site.in(0), trailing_axes(site, layer.first_axis), layer.eps);
  if (site.has(1)) y = mul(y, site.in(1));
  if (site.has(2)) y = add(y, site.in(2));
  return {y};
}

Outs emit(const core::RmsNorm& layer, const Site& site) {
  // This spelling becomes one RMS node in the plugin.
  const Out x = site.in(0);
  const Out squares = make<op::v1::Power>(x, number_like(2, x));
  const Out mean =
      make<op::v1::ReduceMean>(squares, vector_of(trailing_axes(site, layer.first_axis)), true);
  const Out root = make<op::v0::Sqrt>(add(mean, number_like(layer.eps, mean)));
  Out y = mul(x, div(number_like(1, root), root));
  if (site.has(1)) y = mul(y, site.in(1));
  return {y};
}

// Not as GroupNormalization: OpenVINO's CPU plugin crashes on a sum of two behind convolutions, and
// MVN is as fast alone and faster between convolutions.
Outs emit(const core::GroupNorm& layer, const Site& site) {
  const Out x = site.in(0);
  const Out rows = make<op::v1::Reshape>(x, vector_of({0, layer.groups, -1}), true);
  const Out y = normalized(rows, {2}, layer.eps);
  return {with_affine(site, make<op::v1::Reshape>(y, make<op::v3::ShapeOf>(x), false))};
}

Outs emit(const core::InstanceNorm& layer, const Site& site) {
  return {with_affine(site, normalized(site.in(0), trailing_axes(site, 2), layer.eps))};
}

}  // namespace torch_tensorrt::engines::openvino
