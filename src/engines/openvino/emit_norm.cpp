// Normalizations.

#include "engines/openvino/emit.h"

namespace torch_tensorrt::engines::openvino {

using core::Ints;

namespace {

Ints trailing_axes(const Site& site, std::int64_t first) {
  return iota(site.rank() - static_cast<int>(first), first);
}

/// The affine vector, or `value` in each of the channels.
Out per_channel(const Site& site, std::size_t operand, double value,
                const ov::element::Type& type) {
  if (site.has(operand)) return convert(site.in(operand), type);
  const auto channels = static_cast<std::size_t>(site.type(0).dims[1].opt);
  return make<op::v0::Constant>(type, ov::Shape{channels}, value);
}

Out group_normalization(const Site& site, std::int64_t groups, double eps) {
  const auto given = site.in(0).get_element_type();
  // bf16 has no kernel for static shapes.
  const auto type = given == ov::element::bf16 ? ov::element::f32 : given;
  const Out y =
      make<op::v12::GroupNormalization>(convert(site.in(0), type), per_channel(site, 1, 1, type),
                                        per_channel(site, 2, 0, type), groups, eps);
  return convert(y, given);
}

}  // namespace

Outs emit(const core::BatchNorm& layer, const Site& site) {
  const auto type = site.in(0).get_element_type();
  const auto parameter = [&](std::size_t i) { return convert(site.in(i), type); };
  return {make<op::v5::BatchNormInference>(site.in(0), parameter(1), parameter(2), parameter(3),
                                           parameter(4), layer.eps)};
}

Outs emit(const core::LayerNorm& layer, const Site& site) {
  Out y = make<op::v6::MVN>(site.in(0), vector_of(trailing_axes(site, layer.first_axis)), true,
                            static_cast<float>(layer.eps), op::MVNEpsMode::INSIDE_SQRT);
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

Outs emit(const core::GroupNorm& layer, const Site& site) {
  return {group_normalization(site, layer.groups, layer.eps)};
}

Outs emit(const core::InstanceNorm& layer, const Site& site) {
  return {group_normalization(site, site.type(0).dims[1].opt, layer.eps)};
}

}  // namespace torch_tensorrt::engines::openvino
