#include <ATen/ATen.h>

#include "core/error.h"
#include "engines/reference/layers.h"

namespace torch_tensorrt::engines::reference {
namespace {

using core::DType;

// The scale or zero point in f32, in a form that broadcasts over x.
at::Tensor aligned(const at::Tensor& steps, const at::Tensor& x, std::int64_t axis) {
  const at::Tensor wide = steps.to(at::kFloat);
  if (axis < 0) return wide.reshape({});
  core::Ints dims(static_cast<std::size_t>(x.dim()), 1);
  dims[static_cast<std::size_t>(axis)] = -1;
  return wide.reshape(dims);
}

}  // namespace

Tensors evaluate(const core::Quantize& layer, const Call& call) {
  const at::Tensor scaled = call[0].to(at::kFloat) / aligned(call[1], call[0], layer.axis);
  const auto shifted = [&](const at::Tensor& steps) {
    return call.has(2) ? steps + aligned(call[2], call[0], layer.axis) : steps;
  };
  switch (layer.to) {
    case DType::i8:
      return {shifted(scaled.round()).clamp(-128, 127).to(at::kChar)};
    case DType::u8:
      return {shifted(scaled.round()).clamp(0, 255).to(at::kByte)};
    case DType::i4:
      return {scaled.round().clamp(-8, 7).to(at::kChar)};
    case DType::f8:
      return {scaled.clamp(-448, 448).to(at::kFloat8_e4m3fn)};
    default:
      throw core::unsupported("reference: quantize to ", core::name(layer.to));
  }
}

Tensors evaluate(const core::Dequantize& layer, const Call& call) {
  at::Tensor wide = call[0].to(at::kFloat);
  if (call.has(2)) wide = wide - aligned(call[2], wide, layer.axis);
  return {(wide * aligned(call[1], wide, layer.axis)).to(scalar_type(layer.to))};
}

}  // namespace torch_tensorrt::engines::reference
