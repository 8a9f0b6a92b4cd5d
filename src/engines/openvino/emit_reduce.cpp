// Reductions and scans.

#include <algorithm>
#include <limits>

#include "core/error.h"
#include "engines/openvino/emit.h"

namespace torch_tensorrt::engines::openvino {

using core::DType;
using core::ReduceOp;

namespace {

/// Whether the elements are zeros and ones, of which f32 can count 2^24.
bool is_mask(const Site& site) {
  const auto* cast = std::get_if<core::Cast>(&site.network().producer(site.node().inputs[0]).layer);
  return cast &&
         site.network().type(site.network().producer(site.node().inputs[0]).inputs[0]).dtype ==
             DType::b;
}

/// Integers one axis at a time with operations that do not go through f32, as the reductions do
/// beyond 2^24.
Out reduce_ints(const core::Reduce& layer, Out x) {
  for (const std::int64_t axis : layer.axes) {
    if (layer.op == ReduceOp::sum) {
      x = slice(make<op::v0::CumSum>(x, scalar_of(axis)), axis, -1,
                std::numeric_limits<std::int32_t>::max());
    } else {
      const auto mode = layer.op == ReduceOp::max ? op::TopKMode::MAX : op::TopKMode::MIN;
      x = make<op::v11::TopK>(x, scalar_of(1), axis, mode, op::TopKSortType::NONE,
                              ov::element::i64);
    }
  }
  return layer.keepdims ? x : make<op::v0::Squeeze>(x, vector_of(layer.axes));
}

bool may_lack_elements(const core::Reduce& layer, const core::TensorType& type) {
  return std::ranges::any_of(layer.axes,
                             [&](std::int64_t axis) { return type.dims.at(axis).min == 0; });
}

}  // namespace

Outs emit(const core::Reduce& layer, const Site& site) {
  const Out x = site.in(0);
  const bool ints = site.dtype() == DType::i32 || site.dtype() == DType::i64;
  const bool by_parts =
      layer.op == ReduceOp::sum || layer.op == ReduceOp::max || layer.op == ReduceOp::min;
  if (ints && by_parts && !is_mask(site) && !may_lack_elements(layer, site.type(0)))
    return {reduce_ints(layer, x)};
  const Out axes = vector_of(layer.axes);
  const bool keep = layer.keepdims;
  switch (layer.op) {
    case ReduceOp::sum:
      return {make<op::v1::ReduceSum>(x, axes, keep)};
    case ReduceOp::prod:
      return {make<op::v1::ReduceProd>(x, axes, keep)};
    case ReduceOp::max:
      return {make<op::v1::ReduceMax>(x, axes, keep)};
    case ReduceOp::min:
      return {make<op::v1::ReduceMin>(x, axes, keep)};
    case ReduceOp::mean:
      return {make<op::v1::ReduceMean>(x, axes, keep)};
    case ReduceOp::any:
      return {make<op::v1::ReduceLogicalOr>(x, axes, keep)};
    case ReduceOp::all:
      return {make<op::v1::ReduceLogicalAnd>(x, axes, keep)};
  }
  throw core::internal_error("openvino: unknown reduction");
}

Outs emit(const core::Softmax& layer, const Site& site) {
  return {make<op::v8::Softmax>(site.in(0), layer.axis)};
}

Outs emit(const core::LogSoftmax& layer, const Site& site) {
  return {make<op::v5::LogSoftmax>(site.in(0), layer.axis)};
}

Outs emit(const core::TopK& layer, const Site& site) {
  const auto mode = layer.largest ? op::TopKMode::MAX : op::TopKMode::MIN;
  // Without `stable` ties come in an order that differs between static and dynamic shapes.
  return outputs_of(std::make_shared<op::v11::TopK>(site.in(0), site.in(1), layer.axis, mode,
                                                    op::TopKSortType::SORT_VALUES, ov::element::i64,
                                                    /*stable=*/true));
}

Outs emit(const core::CumSum& layer, const Site& site) {
  return {make<op::v0::CumSum>(site.in(0), scalar_of(layer.axis), layer.exclusive, layer.reverse)};
}

}  // namespace torch_tensorrt::engines::openvino
