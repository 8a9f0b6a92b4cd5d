#pragma once

#include <torch/csrc/jit/api/module.h>

#include <string>

#include "compiler/graph.h"

namespace torch_tensorrt::compiler {

/// A copy of `owner` whose `method` runs the Graph; engines become attributes
/// "<method>_engine_<i>". The Graph's first input is self. The module saves with torch.jit.save and
/// loads wherever libtorchtrt_runtime is loaded.
TORCHTRT_API torch::jit::Module emit_torchscript(const Graph& graph,
                                                 const torch::jit::Module& owner,
                                                 const std::string& method);

/// Adds a method that runs the Graph to `module`, whose type the Graph's first input has.
TORCHTRT_API void add_method(torch::jit::Module& module, const Graph& graph,
                             c10::FunctionSchema schema);

}  // namespace torch_tensorrt::compiler
