// Quantize and dequantize. Only FakeQuantize of 256 levels, and integer constants under Convert,
// Subtract and Multiply, reach int8 kernels.

#include <algorithm>

#include "engines/openvino/emit.h"

namespace torch_tensorrt::engines::openvino {

using core::DType;

namespace {

constexpr double kFloat8High = 448;

struct Limits {
  double low, high;
};

Limits limits(DType integers) { return integers == DType::u8 ? Limits{0, 255} : Limits{-128, 127}; }

/// The scale (operand 1) or zero point (2) in f32, to broadcast against x of `rank` dimensions. In
/// 16 bits the limits would round.
Out broadcastable(const Site& site, std::size_t operand, std::int64_t axis, int rank) {
  const Out f32 = folded(convert(
      axis >= 0 ? along_axis(site, operand, rank, axis) : site.in(operand), ov::element::f32));
  return axis >= 0 || site.type(operand).rank() == 0 ? f32 : folded(reshape(f32, {}));
}

/// How the integers of a layer stand for numbers, in f32.
class Steps {
 public:
  Steps(const Site& site, std::int64_t axis, DType quantized)
      : axis_(axis), scale_(broadcastable(site, 1, axis, site.rank())), limits_(limits(quantized)) {
    if (site.has(2)) zero_point_ = broadcastable(site, 2, axis, site.rank());
  }
  const Out& scale() const { return scale_; }

  /// The integers of f32 numbers, still in f32.
  Out integers(const Out& x) const {
    if (takes_limits_of(x)) return rounded(x, integer(limits_.low), integer(limits_.high));
    Out steps = div(x, scale_);
    if (zero_point_) steps = add(steps, *zero_point_);
    return make<op::v0::FakeQuantize>(steps, integer(limits_.low), integer(limits_.high),
                                      integer(limits_.low), integer(limits_.high), kLevels);
  }
  /// What the integers, in any type, stand for.
  Out reals(Out x, ov::element::Type type) const {
    x = convert(x, type);
    if (zero_point_) x = sub(x, folded(convert(*zero_point_, type)));
    return mul(x, folded(convert(scale_, type)));
  }
  /// Both in one.
  Out nearest(const Out& x) const {
    if (!takes_limits_of(x)) return reals(integers(x), ov::element::f32);
    return rounded(x, real(limits_.low), real(limits_.high));
  }

 private:
  static constexpr std::size_t kLevels = 256;

  static Out integer(double number) { return engines::openvino::number(number, ov::element::f32); }
  Out real(double number) const {
    const Out steps = integer(number);
    return folded(mul(zero_point_ ? folded(sub(steps, *zero_point_)) : steps, scale_));
  }
  /// OpenVINO has limits by channel for the second axis alone.
  bool takes_limits_of(const Out& x) const {
    return axis_ < 0 || axis_ == 1 || ov::is_type<op::v0::Constant>(x.get_node());
  }
  /// The limits must be constants, or OpenVINO does not look for int8 kernels at all.
  Out rounded(const Out& x, const Out& low, const Out& high) const {
    return make<op::v0::FakeQuantize>(x, real(limits_.low), real(limits_.high), low, high, kLevels);
  }

  std::int64_t axis_;
  Out scale_;
  std::optional<Out> zero_point_;
  Limits limits_;
};

/// The quantize layer whose result this layer takes back with the same steps, else nullptr.
const core::Node* matching_quantize(const core::Dequantize& layer, const Site& site) {
  const core::Node& producer = site.network().producer(site.node().inputs.at(0));
  const auto* quantize = std::get_if<core::Quantize>(&producer.layer);
  if (!quantize || (quantize->to != DType::i8 && quantize->to != DType::u8) ||
      quantize->axis != layer.axis) {
    return nullptr;
  }
  const auto same = [&](std::size_t operand) {
    const auto of = [&](const core::Node& node) {
      return operand < node.inputs.size() ? node.inputs[operand] : core::kAbsent;
    };
    const core::ValueId theirs = of(producer), ours = of(site.node());
    if (theirs == ours) return true;
    if (theirs == core::kAbsent || ours == core::kAbsent) return false;
    const core::Tensor* a = site.network().constant(theirs);
    const core::Tensor* b = site.network().constant(ours);
    return a && b && a->dtype == b->dtype && a->dims == b->dims &&
           std::ranges::equal(a->bytes.bytes(), b->bytes.bytes());
  };
  return same(1) && same(2) ? &producer : nullptr;
}

}  // namespace

Outs emit(const core::Quantize& layer, const Site& site) {
  const Out x = convert(site.in(0), ov::element::f32);
  const Steps steps(site, layer.axis, layer.to);
  const auto type = element_type(layer.to);
  if (layer.to != DType::f8) return {make<op::v0::Convert>(steps.integers(x), type)};
  // Beyond the largest number Convert gives NaN.
  const Out clamped = make<op::v0::Clamp>(div(x, steps.scale()), -kFloat8High, kFloat8High);
  return {make<op::v0::Convert>(clamped, type)};
}

Outs emit(const core::Dequantize& layer, const Site& site) {
  const auto type = element_type(layer.to);
  const Steps steps(site, layer.axis, site.dtype());
  if (const core::Node* quantize = matching_quantize(layer, site)) {
    if (const Out* x = site.emitted(quantize->inputs.at(0)))
      return {convert(steps.nearest(convert(*x, ov::element::f32)), type)};
  }
  return {steps.reals(site.in(0), type)};
}

}  // namespace torch_tensorrt::engines::openvino
