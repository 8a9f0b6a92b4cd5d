// Matrix products and convolutions.

#include <algorithm>

#include "engines/openvino/emit.h"

namespace torch_tensorrt::engines::openvino {

using core::Ints;

namespace {

ov::Strides strides(const Ints& values) { return {values.begin(), values.end()}; }
ov::CoordinateDiff pads(const Ints& values) { return {values.begin(), values.end()}; }

/// The weight [n, ..] with its first axis split into [groups, n / groups].
Out grouped_weight(const Site& site, std::int64_t groups) {
  Ints shape = core::static_dims(site.type(1).dims);
  shape.front() /= groups;
  shape.insert(shape.begin(), groups);
  if (const core::Tensor* weight = site.constant(1)) return share(*weight, shape);
  return reshape(site.in(1), shape);
}

/// Operand b without the leading axes that only bring a matrix to a's rank: OpenVINO broadcasts by
/// itself, and knows a fully connected layer, its compressed weights above all, by the matrix.
Out without_leading_ones(const Site& site) {
  const core::Node& producer = site.network().producer(site.node().inputs[1]);
  const auto* unsqueeze = std::get_if<core::Unsqueeze>(&producer.layer);
  if (!unsqueeze) return site.in(1);
  const core::ValueId matrix = producer.inputs[0];
  const Out* emitted = site.emitted(matrix);
  const bool leading =
      std::ranges::equal(unsqueeze->axes, iota(static_cast<int>(unsqueeze->axes.size())));
  return emitted && leading && site.network().type(matrix).rank() == 2 ? *emitted : site.in(1);
}

Out with_bias(const Out& y, const Site& site) {
  return site.has(2) ? add(y, along_axis(site, 2, site.rank(), 1)) : y;
}

}  // namespace

std::optional<Out> with_scaled_weights(const Site& site, std::size_t product) {
  const Out& factor = site.in(1 - product);
  const auto* matmul = ov::as_type<op::v0::MatMul>(site.in(product).get_node());
  if (!matmul || !ov::is_type<op::v0::Constant>(factor.get_node())) return std::nullopt;
  const Out weights = matmul->input_value(1);
  const auto* scaled = ov::as_type<op::v1::Multiply>(weights.get_node());
  if (!scaled || weights.get_partial_shape().rank() != 2) return std::nullopt;
  const Out integers = scaled->input_value(0), scale = scaled->input_value(1);
  const auto* convert = ov::as_type<op::v0::Convert>(integers.get_node());
  if (!convert || !ov::is_type<op::v0::Constant>(convert->get_input_node_ptr(0)) ||
      !ov::is_type<op::v0::Constant>(scale.get_node())) {
    return std::nullopt;
  }
  const ov::Shape& shape = factor.get_shape();
  if (shape.empty() || shape_size(shape) != shape.back()) return std::nullopt;
  if (site.reads_of(product) != 1) return std::nullopt;  // last: it walks the network
  const bool by_row = matmul->get_transpose_b();
  const Out aligned = folded(reshape(factor, by_row ? Ints{-1, 1} : Ints{1, -1}));
  return make<op::v0::MatMul>(matmul->input_value(0), mul(integers, folded(mul(scale, aligned))),
                              matmul->get_transpose_a(), by_row);
}

Outs emit(const core::MatMul& layer, const Site& site) {
  const Out b = without_leading_ones(site);
  return {make<op::v0::MatMul>(site.in(0), b, layer.transpose_a, layer.transpose_b)};
}

Outs emit(const core::Einsum& layer, const Site& site) {
  return {make<op::v7::Einsum>(site.operands(), layer.equation)};
}

Outs emit(const core::Conv& layer, const Site& site) {
  const auto stride = strides(layer.stride);
  const auto begin = pads(layer.pad_begin);
  const auto end = pads(layer.pad_end);
  const auto dilation = strides(layer.dilation);
  const Out x = site.in(0);
  if (layer.groups == 1) {
    return {
        with_bias(make<op::v1::Convolution>(x, site.in(1), stride, begin, end, dilation), site)};
  }
  const Out weight = grouped_weight(site, layer.groups);
  return {with_bias(make<op::v1::GroupConvolution>(x, weight, stride, begin, end, dilation), site)};
}

Outs emit(const core::Deconv& layer, const Site& site) {
  const auto stride = strides(layer.stride);
  const auto begin = pads(layer.pad_begin);
  const auto end = pads(layer.pad_end);
  const auto dilation = strides(layer.dilation);
  const auto extra = pads(layer.output_padding);
  const auto explicit_pads = op::PadType::EXPLICIT;
  const Out x = site.in(0);
  if (layer.groups == 1) {
    return {with_bias(make<op::v1::ConvolutionBackpropData>(x, site.in(1), stride, begin, end,
                                                            dilation, explicit_pads, extra),
                      site)};
  }
  const Out weight = grouped_weight(site, layer.groups);
  return {with_bias(make<op::v1::GroupConvolutionBackpropData>(x, weight, stride, begin, end,
                                                               dilation, explicit_pads, extra),
                    site)};
}

}  // namespace torch_tensorrt::engines::openvino
