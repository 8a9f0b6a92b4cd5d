#include "engines/tensorrt/emit.h"

namespace torch_tensorrt::engines::tensorrt {

Tensors emit(const core::ShapeOf&, const Site& site) { return {site.net().shape_of(site.in(0))}; }

/// LINSPACE: alpha is a scalar, beta a vector with a step per dimension.
Tensors emit(const core::Range&, const Site& site) {
  Writer& net = site.net();
  const Tensor &start = site.in(0), &step = site.in(1);
  const auto count = site.numbers(2);
  const Ref fill = net.add(
      "add_fill", {count ? *count : Ints{1}, Symbol{"FillOperation", "LINSPACE"}, start.dtype});
  if (!count) net.set_input(fill, 0, net.reshape(site.in(2), {1}));
  net.set_input(fill, 1, start);
  net.set_input(fill, 2, net.reshape(step, {1}));
  return {net.output(fill, start.dtype, site.result_dims())};
}

Tensors emit(const core::Random& layer, const Site& site) {
  Writer& net = site.net();
  const auto shape = site.numbers(0);
  const bool is_uniform = layer.distribution == core::RandomKind::uniform;
  const DType dtype = layer.dtype == DType::bf16 ? DType::f32 : layer.dtype;
  const Ref fill =
      net.add("add_fill",
              {shape ? *shape : Ints(site.result_dims().size(), 1),
               Symbol{"FillOperation", is_uniform ? "RANDOM_UNIFORM" : "RANDOM_NORMAL"}, dtype});
  if (!shape) net.set_input(fill, 0, site.in(0));
  net.set(fill, "alpha", layer.a);
  net.set(fill, "beta", layer.b);
  return {net.cast(net.output(fill, dtype, site.result_dims()), layer.dtype)};
}

}  // namespace torch_tensorrt::engines::tensorrt
