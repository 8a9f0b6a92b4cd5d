// An op of one's own and its converter in one shared library.

#include <ATen/ATen.h>
#include <torch/library.h>
#include <torch_tensorrt/converter.h>

namespace {

using torch_tensorrt::converters::Bound;
using torch_tensorrt::converters::OpContext;
using torch_tensorrt::converters::Registration;
using torch_tensorrt::converters::Value;
using torch_tensorrt::core::ActivationOp;

/// x, limited smoothly to -limit..limit.
at::Tensor soft_cap(const at::Tensor& x, double limit) { return limit * at::tanh(x / limit); }

TORCH_LIBRARY(cpplib, library) {
  // Composite: PyTorch runs it on every device, and on shapes alone, from the ops that it calls.
  library.def("soft_cap(Tensor x, float limit) -> Tensor", soft_cap);
}

const Registration converter("cpplib::soft_cap", [](OpContext& op) -> std::vector<Bound> {
  const double limit = op.number("limit");
  if (limit <= 0) throw op.refuse("limit is ", limit, ", expected more than 0");
  // alpha * tanh(beta * x)
  Value capped = op.net().activation(ActivationOp::scaled_tanh, op.value("x"), limit, 1 / limit);
  return {capped};
});

}  // namespace
