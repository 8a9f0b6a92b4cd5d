// Quantize and dequantize. Only FakeQuantize, and an i8 constant under Convert and Multiply, reach
// int8 kernels.

#include <algorithm>

#include "engines/openvino/emit.h"

namespace torch_tensorrt::engines::openvino {

using core::DType;

namespace {

constexpr double kInt8Low = -128;
constexpr double kInt8High = 127;
constexpr double kFloat8High = 448;

/// The scale (operand 1) as something that broadcasts against x of `rank` dimensions.
Out broadcastable_scale(const Site& site, std::int64_t axis, int rank) {
  if (axis >= 0) return along_axis(site, 1, rank, axis);
  return site.type(1).rank() == 0 ? site.in(1) : folded(reshape(site.in(1), {}));
}

/// x / scale rounded and clamped to i8's range, times `unit`: still a float. The limits must be
/// constants, or OpenVINO does not look for int8 kernels at all.
Out fake_quantize(const Out& x, const Out& scale, const Out& unit) {
  const auto type = x.get_element_type();
  const Out low = number(kInt8Low, type);
  const Out high = number(kInt8High, type);
  const auto times = [](const Out& a, const Out& b) { return folded(mul(a, b)); };
  return make<op::v0::FakeQuantize>(x, times(scale, low), times(scale, high), times(unit, low),
                                    times(unit, high), 256);
}

/// The quantize layer whose result this layer takes back with the same scale, else nullptr.
const core::Node* matching_quantize(const core::Dequantize& layer, const Site& site) {
  const core::Node& producer = site.network().producer(site.node().inputs.at(0));
  const auto* quantize = std::get_if<core::Quantize>(&producer.layer);
  if (!quantize || quantize->to != DType::i8 || quantize->axis != layer.axis) return nullptr;
  const core::ValueId theirs = producer.inputs.at(1);
  const core::ValueId ours = site.node().inputs.at(1);
  if (theirs == ours) return &producer;
  const core::Tensor* a = site.network().constant(theirs);
  const core::Tensor* b = site.network().constant(ours);
  const bool same = a && b && a->dtype == b->dtype && a->dims == b->dims &&
                    std::ranges::equal(a->bytes.bytes(), b->bytes.bytes());
  return same ? &producer : nullptr;
}

}  // namespace

Outs emit(const core::Quantize& layer, const Site& site) {
  // In 16 bits the limits would round.
  const auto f32 = ov::element::f32;
  const Out x = convert(site.in(0), f32);
  const Out scale = folded(convert(broadcastable_scale(site, layer.axis, site.rank()), f32));
  if (layer.to == DType::i8) {
    return {make<op::v0::Convert>(fake_quantize(x, scale, number(1, f32)), ov::element::i8)};
  }
  // Beyond the largest number Convert gives NaN.
  const Out clamped = make<op::v0::Clamp>(div(x, scale), -kFloat8High, kFloat8High);
  return {make<op::v0::Convert>(clamped, element_type(layer.to))};
}

Outs emit(const core::Dequantize& layer, const Site& site) {
  const auto f32 = ov::element::f32;
  const auto type = element_type(layer.to);
  const Out given_scale = broadcastable_scale(site, layer.axis, site.rank());
  if (const core::Node* quantize = matching_quantize(layer, site)) {
    if (const Out* x = site.emitted(quantize->inputs.at(0))) {
      const Out scale = folded(convert(given_scale, f32));
      return {convert(fake_quantize(convert(*x, f32), scale, scale), type)};
    }
  }
  return {mul(convert(site.in(0), type), folded(convert(given_scale, type)))};
}

}  // namespace torch_tensorrt::engines::openvino
