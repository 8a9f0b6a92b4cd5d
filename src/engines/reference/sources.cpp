#include <ATen/ATen.h>

#include "core/error.h"
#include "engines/reference/layers.h"

namespace torch_tensorrt::engines::reference {

// Inputs and constants are in place before the first layer runs.
Tensors evaluate(const core::Input&, const Call&) {
  throw core::internal_error("reference: an input layer was evaluated");
}

Tensors evaluate(const core::Constant&, const Call&) {
  throw core::internal_error("reference: a constant layer was evaluated");
}

Tensors evaluate(const core::ShapeOf&, const Call& call) {
  return {at::tensor(call[0].sizes(), at::kLong).to(call.program().device())};
}

Tensors evaluate(const core::Range&, const Call& call) {
  return {call[0] + at::arange(call.integer(2), call[0].options()) * call[1]};
}

// Drawn on the CPU on every device, so a seed gives the same numbers everywhere.
Tensors evaluate(const core::Random& layer, const Call& call) {
  const auto options = at::TensorOptions().dtype(at::kFloat);
  const at::Generator& generator = call.program().generator(call.node());
  const at::Tensor drawn = layer.distribution == core::RandomKind::uniform
                               ? at::rand(call.ints(0), generator, options) * (layer.b - layer.a)
                               : at::randn(call.ints(0), generator, options) * layer.b;
  return {(drawn + layer.a).to(call.program().device(), scalar_type(layer.dtype))};
}

}  // namespace torch_tensorrt::engines::reference
