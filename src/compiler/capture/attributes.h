#pragma once

#include <torch/csrc/jit/api/module.h>

#include <memory>

namespace torch_tensorrt::compiler {

/// Attributes that nothing writes become constants of the inlined graph of `method`. Freezing has
/// done so for most; it leaves those that a write might have reached which the graph no longer has.
void inline_attributes(const std::shared_ptr<torch::jit::Graph>& graph,
                       const torch::jit::Module& module, const std::string& method);

}  // namespace torch_tensorrt::compiler
