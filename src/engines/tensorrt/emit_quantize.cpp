// Quantize and dequantize: symmetric, which is all that TensorRT has.

#include "engines/tensorrt/compose.h"

namespace torch_tensorrt::engines::tensorrt {

namespace {

void require_takes(const Site& site, DType quantized) {
  if (quantized == DType::u8 || site.has(2))
    throw site.refuse("has no unsigned integers and no zero points; quantize symmetrically to i8");
  if (quantized == DType::f4)
    throw site.refuse("f4 needs one scale per block of 16; quantize to i8 or f8");
  if (site.rank() == 0) throw site.refuse("takes no scalars; give it one dimension");
}

bool is_weight(const Site& site) { return site.constant(0) != nullptr; }

bool is_quantized_weight(const Site& site) {
  const core::Node& producer = site.network().producer(site.node().inputs.at(0));
  return is_weight(site) || (std::holds_alternative<core::Quantize>(producer.layer) &&
                             site.network().constant(producer.inputs.at(0)));
}

/// The scale (operand 1). Numbers of 4 bits want it in the type that they stand for; for the others
/// f32 is right with every type, and exact.
Tensor scale_of(const Site& site, DType quantized, DType real) {
  return site.net().cast(site.in(1), quantized == DType::i4 ? real : DType::f32);
}

/// The same as an f32 factor of x.
Tensor factor(const Site& site, std::int64_t axis) {
  const Tensor scale = site.net().cast(site.in(1), DType::f32);
  return site.net().reshape(scale, along(site.rank(), axis, scale.dims.at(0)));
}

Tensor quantize(const Site& site, const Tensor& x, const Tensor& scale, DType to,
                std::int64_t axis) {
  const Ref layer = site.net().add("add_quantize", {x.ref, scale.ref, to});
  if (axis >= 0) site.net().set(layer, "axis", axis);
  return site.net().output(layer, to, x.dims);
}

Tensor dequantize(const Site& site, const Tensor& scale, DType to, std::int64_t axis) {
  const Tensor& x = site.in(0);
  const Ref layer = site.net().add("add_dequantize", {x.ref, scale.ref, to});
  if (axis >= 0) site.net().set(layer, "axis", axis);
  return site.net().output(layer, to, x.dims);
}

}  // namespace

// Only weights may have one scale per channel. Activations are divided by the scales before, and
// multiplied by them after, a quantization of scale 1.

Tensors emit(const core::Quantize& layer, const Site& site) {
  require_takes(site, layer.to);
  if (layer.to == DType::i4 && !is_weight(site))
    throw site.refuse("quantizes only weights to i4; quantize activations to i8 or f8");
  Writer& net = site.net();
  if (layer.axis < 0 || is_weight(site))
    return {
        quantize(site, site.in(0), scale_of(site, layer.to, site.dtype()), layer.to, layer.axis)};
  // In f32, as the quotient is rounded once more.
  const Tensor x = net.cast(site.in(0), DType::f32);
  const Tensor quotient = net.div(x, factor(site, layer.axis));
  return {quantize(site, quotient, net.number(1, DType::f32), layer.to, -1)};
}

Tensors emit(const core::Dequantize& layer, const Site& site) {
  require_takes(site, site.dtype());
  Writer& net = site.net();
  if (layer.axis < 0 || is_quantized_weight(site))
    return {dequantize(site, scale_of(site, site.dtype(), layer.to), layer.to, layer.axis)};
  const Tensor integers = dequantize(site, net.number(1, DType::f32), DType::f32, -1);
  return {net.cast(net.mul(integers, factor(site, layer.axis)), layer.to)};
}

}  // namespace torch_tensorrt::engines::tensorrt
