// Pooling and image layers.

#include <algorithm>

#include "core/error.h"
#include "engines/openvino/emit.h"

namespace torch_tensorrt::engines::openvino {

using core::Coordinate;
using core::GridMode;
using core::GridPadding;
using core::Ints;
using core::ResizeMode;
using Interpolate = op::v11::Interpolate;

namespace {

ov::Strides strides(const Ints& values) { return {values.begin(), values.end()}; }
ov::Shape shape(const Ints& values) { return {values.begin(), values.end()}; }

bool all_equal(const Ints& values, std::int64_t number) {
  return std::ranges::all_of(values, [number](std::int64_t value) { return value == number; });
}

Out average(const Out& x, const Ints& window, const Ints& stride, const Ints& begin,
            const Ints& end, bool exclude_pad, op::RoundingType rounding) {
  return make<op::v14::AvgPool>(x, strides(stride), shape(begin), shape(end), shape(window),
                                exclude_pad, rounding);
}

/// OpenVINO divides by the whole window, PyTorch by the part of it within the padded image: the
/// quotient of the two, along one axis, in y's rank.
Out counted_part(const core::AvgPool& layer, const Out& x, const Out& y, std::size_t spatial) {
  const auto type = y.get_element_type();
  const auto axis = static_cast<std::int64_t>(spatial) + 2;
  const auto constant = [&](std::int64_t value) {
    return number(static_cast<double>(value), type);
  };
  const Out window = constant(layer.window[spatial]);
  const Out index = counting(dim(y, axis), type);
  const Out start =
      sub(mul(index, constant(layer.stride[spatial])), constant(layer.pad_begin[spatial]));
  const Out past_image = add(convert(dim(x, axis), type), constant(layer.pad_end[spatial]));
  const Out count = sub(make<op::v1::Minimum>(past_image, add(start, window)), start);
  Ints shape(layer.window.size() + 2, 1);
  shape[spatial + 2] = -1;
  return reshape(div(window, count), shape);
}

Interpolate::InterpolateMode mode_of(const core::Resize& layer) {
  switch (layer.mode) {
    case ResizeMode::nearest:
      return Interpolate::InterpolateMode::NEAREST;
    case ResizeMode::linear:
      return Interpolate::InterpolateMode::LINEAR_ONNX;
    case ResizeMode::cubic:
      return Interpolate::InterpolateMode::CUBIC;
  }
  throw core::internal_error("openvino: unknown resize mode");
}

Interpolate::CoordinateTransformMode coordinate_of(Coordinate coordinate) {
  switch (coordinate) {
    case Coordinate::asymmetric:
      return Interpolate::CoordinateTransformMode::ASYMMETRIC;
    case Coordinate::half_pixel:
      return Interpolate::CoordinateTransformMode::HALF_PIXEL;
    case Coordinate::align_corners:
      return Interpolate::CoordinateTransformMode::ALIGN_CORNERS;
  }
  throw core::internal_error("openvino: unknown coordinate mode");
}

/// With whole scales the sizes say the same and are exact; corners do not look at scales.
bool sizes_suffice(const core::Resize& layer) {
  if (layer.coordinate == Coordinate::align_corners) return true;
  return std::ranges::all_of(layer.scales,
                             [](double s) { return s >= 1 && s == static_cast<std::int64_t>(s); });
}

}  // namespace

Outs emit(const core::MaxPool& layer, const Site& site) {
  const auto rounding = layer.ceil_mode ? op::RoundingType::CEIL_TORCH : op::RoundingType::FLOOR;
  return {make<op::v14::MaxPool>(site.in(0), strides(layer.stride), strides(layer.dilation),
                                 shape(layer.pad_begin), shape(layer.pad_end), shape(layer.window),
                                 rounding)};
}

Outs emit(const core::AvgPool& layer, const Site& site) {
  const bool padded = !all_equal(layer.pad_begin, 0) || !all_equal(layer.pad_end, 0);
  const auto rounding = layer.ceil_mode ? op::RoundingType::CEIL_TORCH : op::RoundingType::FLOOR;
  const bool exclude_pad = !layer.count_include_pad || !padded;
  const Out x = site.in(0);
  Out y =
      average(x, layer.window, layer.stride, layer.pad_begin, layer.pad_end, exclude_pad, rounding);
  if (layer.ceil_mode && !exclude_pad) {
    for (std::size_t i = 0; i < layer.window.size(); ++i) y = mul(y, counted_part(layer, x, y, i));
  }
  return {y};
}

Outs emit(const core::AdaptiveAvgPool& layer, const Site& site) {
  const Out x = site.in(0);
  const int count = static_cast<int>(layer.output_size.size());
  const int first = site.rank() - count;
  if (all_equal(layer.output_size, 1)) {
    return {make<op::v1::ReduceMean>(x, vector_of(iota(count, first)), /*keep_dims=*/true)};
  }
  Ints window;
  for (int i = 0; i < count; ++i) {
    const core::Extent& in = site.type(0).dims[static_cast<std::size_t>(first + i)];
    const std::int64_t out = layer.output_size[static_cast<std::size_t>(i)];
    if (in.is_static() && out > 0 && in.opt % out == 0) window.push_back(in.opt / out);
  }
  if (window.size() == layer.output_size.size()) {
    const Ints none(window.size(), 0);
    return {average(x, window, window, none, none, true, op::RoundingType::FLOOR)};
  }
  return {make<op::v8::AdaptiveAvgPool>(x, vector_of(layer.output_size))};
}

Outs emit(const core::Resize& layer, const Site& site) {
  Interpolate::InterpolateAttrs attributes;
  attributes.mode = mode_of(layer);
  attributes.coordinate_transformation_mode = coordinate_of(layer.coordinate);
  attributes.nearest_mode = layer.rounding == core::NearestRounding::floor
                                ? Interpolate::NearestMode::FLOOR
                                : Interpolate::NearestMode::ROUND_PREFER_CEIL;
  attributes.cube_coeff = layer.cubic_a;
  const int count = static_cast<int>(site.type(1).dims.front().opt);
  const Out axes = vector_of(iota(count, site.rank() - count));
  if (layer.scales.empty() || sizes_suffice(layer)) {
    attributes.shape_calculation_mode = Interpolate::ShapeCalcMode::SIZES;
    return {make<Interpolate>(site.in(0), site.in(1), axes, attributes)};
  }
  attributes.shape_calculation_mode = Interpolate::ShapeCalcMode::SCALES;
  const Out scales =
      make<op::v0::Constant>(ov::element::f32, ov::Shape{layer.scales.size()}, layer.scales);
  return {make<Interpolate>(site.in(0), scales, axes, attributes)};
}

Outs emit(const core::GridSample& layer, const Site& site) {
  using Grid = op::v9::GridSample;
  Grid::Attributes attributes;
  attributes.align_corners = layer.align_corners;
  switch (layer.mode) {
    case GridMode::bilinear:
      attributes.mode = Grid::InterpolationMode::BILINEAR;
      break;
    case GridMode::nearest:
      attributes.mode = Grid::InterpolationMode::NEAREST;
      break;
    case GridMode::cubic:
      attributes.mode = Grid::InterpolationMode::BICUBIC;
      break;
  }
  switch (layer.padding) {
    case GridPadding::zeros:
      attributes.padding_mode = Grid::PaddingMode::ZEROS;
      break;
    case GridPadding::border:
      attributes.padding_mode = Grid::PaddingMode::BORDER;
      break;
    case GridPadding::reflection:
      attributes.padding_mode = Grid::PaddingMode::REFLECTION;
      break;
  }
  return {make<Grid>(site.in(0), site.in(1), attributes)};
}

Outs emit(const core::Lrn& layer, const Site& site) {
  return {make<op::v0::LRN>(site.in(0), vector_of({1}), layer.alpha, layer.beta, layer.k,
                            static_cast<std::size_t>(layer.size))};
}

Outs emit(const core::DepthToSpace& layer, const Site& site) {
  using Op = op::v0::DepthToSpace;
  const auto mode = layer.order == core::DepthOrder::depth_first
                        ? Op::DepthToSpaceMode::DEPTH_FIRST
                        : Op::DepthToSpaceMode::BLOCKS_FIRST;
  return {make<Op>(site.in(0), mode, static_cast<std::size_t>(layer.block))};
}

Outs emit(const core::SpaceToDepth& layer, const Site& site) {
  using Op = op::v0::SpaceToDepth;
  const auto mode = layer.order == core::DepthOrder::depth_first
                        ? Op::SpaceToDepthMode::DEPTH_FIRST
                        : Op::SpaceToDepthMode::BLOCKS_FIRST;
  return {make<Op>(site.in(0), mode, static_cast<std::size_t>(layer.block))};
}

}  // namespace torch_tensorrt::engines::openvino
