// Normalizations. The native layer (the one that every version has) only normalizes: which shapes
// it takes for scale and bias differs by kind and version, so the affine part is outside of it.

#include <cmath>

#include "core/error.h"
#include "core/scalar.h"
#include "engines/tensorrt/compose.h"

namespace torch_tensorrt::engines::tensorrt {

namespace {

Ints trailing_axes(const Site& site, std::int64_t first) {
  return iota(site.rank() - static_cast<int>(first), first);
}

/// `channels` ones and zeros at axis 1 are the scale and the bias.
Tensor normalized(const Site& site, const Ints& axes, std::int64_t channels, double eps,
                  std::int64_t groups = 1) {
  Writer& net = site.net();
  const Tensor& x = site.in(0);
  const Ints dims = channels == 1 ? Ints(x.dims.size(), 1) : along(x.rank(), 1, channels);
  const auto filled = [&](float value) {
    return floats(net, std::vector<float>(static_cast<std::size_t>(channels), value), dims,
                  x.dtype);
  };
  const Tensor scale = filled(1), bias = filled(0);
  const Ref layer = net.add("add_normalization", {x.ref, scale.ref, bias.ref, axes_mask(axes)});
  net.set(layer, "epsilon", eps);
  if (groups != 1) net.set(layer, "num_groups", groups);
  return net.output(layer, x.dtype, x.dims);
}

/// A vector [C] as [1, C, 1, ..].
Tensor per_channel(const Site& site, const Tensor& vector) {
  return site.net().reshape(vector, along(site.rank(), 1, vector.dims.at(0)));
}

/// gamma * y + beta, operands 1 and 2, where given.
Tensor affine_per_channel(const Site& site, Tensor y) {
  if (site.has(1)) y = site.net().mul(y, per_channel(site, site.in(1)));
  if (site.has(2)) y = site.net().add(y, per_channel(site, site.in(2)));
  return y;
}

double number_at(const core::Tensor& tensor, std::size_t i) {
  switch (tensor.dtype) {
    case DType::f32:
      return tensor.bytes.as<float>()[i];
    case DType::f16:
      return core::float_from_half(tensor.bytes.as<std::uint16_t>()[i]);
    case DType::bf16:
      return core::float_from_bfloat16(tensor.bytes.as<std::uint16_t>()[i]);
    default:
      throw core::internal_error("tensorrt: a normalization's parameter is ",
                                 core::name(tensor.dtype));
  }
}

struct ScaleShift {
  Tensor scale, shift;
};

/// Of constants: folded here, so that they go into a convolution before.
ScaleShift folded(const core::BatchNorm& layer, const Site& site) {
  std::vector<float> scale, shift;
  const auto channels = static_cast<std::size_t>(site.constant(1)->dims.at(0));
  for (std::size_t c = 0; c < channels; ++c) {
    const auto parameter = [&](std::size_t i) { return number_at(*site.constant(i), c); };
    const double factor = parameter(1) / std::sqrt(parameter(4) + layer.eps);
    scale.push_back(static_cast<float>(factor));
    shift.push_back(static_cast<float>(parameter(2) - parameter(3) * factor));
  }
  const Ints dims = along(site.rank(), 1, static_cast<std::int64_t>(channels));
  return {floats(site.net(), scale, dims, site.dtype()),
          floats(site.net(), shift, dims, site.dtype())};
}

/// In f32: the variance and eps may not fit into 16 bits.
ScaleShift computed(const core::BatchNorm& layer, const Site& site) {
  Writer& net = site.net();
  const auto parameter = [&](std::size_t i) { return net.cast(site.in(i), DType::f32); };
  const Tensor variance = parameter(4);
  const Tensor root = net.unary("SQRT", net.add(variance, net.number_like(layer.eps, variance)));
  const Tensor scale = net.div(parameter(1), root);
  const Tensor shift = net.sub(parameter(2), net.mul(parameter(3), scale));
  return {per_channel(site, net.cast(scale, site.dtype())),
          per_channel(site, net.cast(shift, site.dtype()))};
}

}  // namespace

Tensors emit(const core::BatchNorm& layer, const Site& site) {
  bool all_constant = true;
  for (std::size_t i = 1; i <= 4; ++i) all_constant = all_constant && site.constant(i);
  const auto [scale, shift] = all_constant ? folded(layer, site) : computed(layer, site);
  return {site.net().add(site.net().mul(site.in(0), scale), shift)};
}

Tensors emit(const core::LayerNorm& layer, const Site& site) {
  Tensor y = normalized(site, trailing_axes(site, layer.first_axis), 1, layer.eps);
  if (site.has(1)) y = site.net().mul(y, site.in(1));
  if (site.has(2)) y = site.net().add(y, site.in(2));
  return {y};
}

Tensors emit(const core::RmsNorm& layer, const Site& site) {
  Writer& net = site.net();
  // Squares overflow f16, and eps vanishes in it.
  const Tensor x = net.cast(site.in(0), DType::f32);
  const Tensor mean =
      net.reduce("AVG", net.mul(x, x), trailing_axes(site, layer.first_axis), /*keepdims=*/true);
  const Tensor root = net.unary("SQRT", net.add(mean, net.number_like(layer.eps, mean)));
  Tensor y = net.mul(x, net.unary("RECIP", root));
  if (site.has(1)) y = net.mul(y, net.cast(site.in(1), DType::f32));
  return {net.cast(y, site.dtype())};
}

Tensors emit(const core::GroupNorm& layer, const Site& site) {
  // One group is one mean over the channels too; num_groups 1 means none.
  const bool is_one = layer.groups == 1;
  const Ints axes = trailing_axes(site, is_one ? 1 : 2);
  const Tensor y = normalized(site, axes, layer.groups, layer.eps, layer.groups);
  return {affine_per_channel(site, y)};
}

Tensors emit(const core::InstanceNorm& layer, const Site& site) {
  const core::Extent& channels = site.type(0).dims[1];
  const std::int64_t count = channels.is_static() ? channels.opt : 1;
  return {affine_per_channel(site, normalized(site, trailing_axes(site, 2), count, layer.eps))};
}

}  // namespace torch_tensorrt::engines::tensorrt
