// Gathers, scatters and data-dependent results.

#include <algorithm>

#include "core/error.h"
#include "engines/openvino/emit.h"

namespace torch_tensorrt::engines::openvino {

using core::ScatterReduce;

namespace {

op::v12::ScatterElementsUpdate::Reduction element_reduction(ScatterReduce reduction) {
  using Reduction = op::v12::ScatterElementsUpdate::Reduction;
  switch (reduction) {
    case ScatterReduce::none:
      return Reduction::NONE;
    case ScatterReduce::sum:
      return Reduction::SUM;
    case ScatterReduce::prod:
      return Reduction::PROD;
    case ScatterReduce::max:
      return Reduction::MAX;
    case ScatterReduce::min:
      return Reduction::MIN;
    case ScatterReduce::mean:
      return Reduction::MEAN;
  }
  throw core::internal_error("openvino: unknown scatter reduction");
}

op::v15::ScatterNDUpdate::Reduction nd_reduction(ScatterReduce reduction) {
  using Reduction = op::v15::ScatterNDUpdate::Reduction;
  switch (reduction) {
    case ScatterReduce::none:
      return Reduction::NONE;
    case ScatterReduce::sum:
      return Reduction::SUM;
    case ScatterReduce::prod:
      return Reduction::PROD;
    case ScatterReduce::max:
      return Reduction::MAX;
    case ScatterReduce::min:
      return Reduction::MIN;
    case ScatterReduce::mean:
      break;
  }
  throw core::unsupported("openvino: scatter_nd has no mean");
}

}  // namespace

Outs emit(const core::Gather& layer, const Site& site) {
  return {make<op::v8::Gather>(site.in(0), site.in(1), scalar_of(layer.axis), layer.batch_dims)};
}

Outs emit(const core::GatherElements& layer, const Site& site) {
  return {make<op::v6::GatherElements>(site.in(0), site.in(1), layer.axis)};
}

Outs emit(const core::GatherNd& layer, const Site& site) {
  return {
      make<op::v8::GatherND>(site.in(0), site.in(1), static_cast<std::size_t>(layer.batch_dims))};
}

Outs emit(const core::ScatterElements& layer, const Site& site) {
  return {make<op::v12::ScatterElementsUpdate>(
      site.in(0), site.in(1), site.in(2), scalar_of(layer.axis), element_reduction(layer.reduction),
      /*use_init_val=*/true)};
}

Outs emit(const core::ScatterNd& layer, const Site& site) {
  return {make<op::v15::ScatterNDUpdate>(site.in(0), site.in(1), site.in(2),
                                         nd_reduction(layer.reduction))};
}

Outs emit(const core::OneHot& layer, const Site& site) {
  return {
      make<op::v1::OneHot>(site.in(0), scalar_of(layer.depth), site.in(1), site.in(2), layer.axis)};
}

Outs emit(const core::NonZero&, const Site& site) {
  return {make<op::v3::NonZero>(site.in(0), ov::element::i64)};
}

Outs emit(const core::Nms& layer, const Site& site) {
  using Op = op::v9::NonMaxSuppression;
  const auto form = layer.form == core::BoxForm::corners ? Op::BoxEncodingType::CORNER
                                                         : Op::BoxEncodingType::CENTER;
  const auto f32 = ov::element::f32;
  const Out boxes = convert(site.in(0), f32);
  const Out scores = convert(site.in(1), f32);
  // Falling score across all batches is not the order asked for.
  return {make<Op>(boxes, scores, scalar_of(layer.max_per_class), number(layer.iou_threshold, f32),
                   number(layer.score_threshold, f32), form, /*sort_result_descending=*/false)};
}

}  // namespace torch_tensorrt::engines::openvino
