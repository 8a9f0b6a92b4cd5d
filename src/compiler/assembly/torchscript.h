#pragma once

#include <torch/csrc/jit/api/module.h>

#include <string>

#include "compiler/driver.h"
#include "compiler/graph.h"
#include "compiler/program.h"

namespace torch_tensorrt::compiler {

/// A copy of `owner` whose `method` runs the Graph; engines become attributes
/// "<method>_engine_<i>". The Graph's first input is self. The module saves with torch.jit.save and
/// loads wherever libtorchtrt_runtime is loaded.
TORCHTRT_API torch::jit::Module emit_torchscript(const Graph& graph,
                                                 const torch::jit::Module& owner,
                                                 const std::string& method);

/// The Program as a TorchScript module: forward takes and gives what `inputs` and `outputs`
/// describe (leaves in the Graph's order; only kinds and keys count, and an output that is a value
/// stands for itself); states are buffers.
TORCHTRT_API torch::jit::Module emit_torchscript(const Program& program, const Signature& inputs,
                                                 const std::vector<std::string>& argument_names,
                                                 const Signature& outputs);

/// Adds a method that runs the Graph to `module`, whose type the Graph's first input has.
TORCHTRT_API void add_method(torch::jit::Module& module, const Graph& graph,
                             c10::FunctionSchema schema);

}  // namespace torch_tensorrt::compiler
