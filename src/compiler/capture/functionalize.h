#pragma once

#include <torch/csrc/jit/ir/ir.h>

#include <memory>

namespace torch_tensorrt::compiler {

/// Replaces writes into tensors that the graph itself made by new values: `mask[0:3] = 1` becomes
/// slice, fill and slice_scatter, and what reads the mask later reads the new one. Writes into
/// inputs, parameters, module state, or memory that escapes into lists and other blocks are left as
/// they are.
void functionalize(const std::shared_ptr<torch::jit::Graph>& graph);

}  // namespace torch_tensorrt::compiler
