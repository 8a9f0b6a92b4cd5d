#include <ATen/ATen.h>

#include <optional>

#include "engines/reference/layers.h"

namespace torch_tensorrt::engines::reference {
namespace {

// The normalized dimensions, and an affine operand (of x's rank) reduced to them.
at::IntArrayRef trailing(const at::Tensor& x, std::int64_t first_axis) {
  return x.sizes().slice(static_cast<std::size_t>(first_axis));
}

std::optional<at::Tensor> affine(const Call& call, std::size_t index, std::int64_t first_axis) {
  if (!call.has(index)) return std::nullopt;
  const at::Tensor& operand = call[index];
  return operand.reshape(trailing(operand, first_axis))
      .expand(trailing(call[0], first_axis))
      .contiguous();
}

}  // namespace

Tensors evaluate(const core::BatchNorm& layer, const Call& call) {
  return {at::batch_norm(call[0], call[1], call[2], call[3], call[4], /*training=*/false,
                         /*momentum=*/0, layer.eps, /*cudnn_enabled=*/false)};
}

Tensors evaluate(const core::LayerNorm& layer, const Call& call) {
  return {at::layer_norm(call[0], trailing(call[0], layer.first_axis),
                         affine(call, 1, layer.first_axis), affine(call, 2, layer.first_axis),
                         layer.eps)};
}

Tensors evaluate(const core::RmsNorm& layer, const Call& call) {
  return {at::rms_norm(call[0], trailing(call[0], layer.first_axis),
                       affine(call, 1, layer.first_axis), layer.eps)};
}

Tensors evaluate(const core::GroupNorm& layer, const Call& call) {
  return {at::group_norm(call[0], layer.groups, call.optional(1), call.optional(2), layer.eps)};
}

Tensors evaluate(const core::InstanceNorm& layer, const Call& call) {
  return {at::instance_norm(call[0], call.optional(1), call.optional(2), /*running_mean=*/{},
                            /*running_var=*/{}, /*use_input_stats=*/true, /*momentum=*/0, layer.eps,
                            /*cudnn_enabled=*/false)};
}

}  // namespace torch_tensorrt::engines::reference
