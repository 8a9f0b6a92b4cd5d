#include <ATen/ATen.h>

#include "core/error.h"
#include "engines/reference/layers.h"

namespace torch_tensorrt::engines::reference {

using core::ReduceOp;

namespace {

// ATen multiplies along one axis at a time; from the last one, so that the others keep their
// places.
at::Tensor prod(at::Tensor x, const core::Ints& axes, bool keepdims) {
  for (std::size_t i = axes.size(); i-- > 0;) x = at::prod(x, axes[i], keepdims, x.scalar_type());
  return x;
}

}  // namespace

Tensors evaluate(const core::Reduce& layer, const Call& call) {
  const at::Tensor& x = call[0];
  const bool keep = layer.keepdims;
  switch (layer.op) {
    case ReduceOp::sum:
      return {at::sum(x, layer.axes, keep, x.scalar_type())};
    case ReduceOp::prod:
      return {prod(x, layer.axes, keep)};
    case ReduceOp::max:
      return {at::amax(x, layer.axes, keep)};
    case ReduceOp::min:
      return {at::amin(x, layer.axes, keep)};
    case ReduceOp::mean:
      return {at::mean(x, layer.axes, keep)};
    case ReduceOp::any:
      return {at::any(x, at::OptionalIntArrayRef(layer.axes), keep)};
    case ReduceOp::all:
      return {at::all(x, at::OptionalIntArrayRef(layer.axes), keep)};
  }
  throw core::internal_error("reference: reduce op ", static_cast<int>(layer.op), " is unknown");
}

Tensors evaluate(const core::Softmax& layer, const Call& call) {
  return {at::softmax(call[0], layer.axis)};
}

Tensors evaluate(const core::LogSoftmax& layer, const Call& call) {
  return {at::log_softmax(call[0], layer.axis)};
}

Tensors evaluate(const core::TopK& layer, const Call& call) {
  auto [values, indices] =
      at::topk(call[0], call.integer(1), layer.axis, layer.largest, /*sorted=*/true);
  return {values, indices};
}

// Exclusive: the inclusive sums moved by one, so that each is rounded once.
Tensors evaluate(const core::CumSum& layer, const Call& call) {
  const auto oriented = [&](const at::Tensor& t) {
    return layer.reverse ? at::flip(t, layer.axis) : t;
  };
  const at::Tensor x = oriented(call[0]);
  const std::int64_t size = x.size(layer.axis);
  at::Tensor sums = at::cumsum(x, layer.axis, x.scalar_type());
  if (layer.exclusive && size > 0) {
    const at::Tensor first = at::zeros_like(x.narrow(layer.axis, 0, 1));
    sums = at::cat({first, sums.narrow(layer.axis, 0, size - 1)}, layer.axis);
  }
  return {oriented(sums)};
}

}  // namespace torch_tensorrt::engines::reference
