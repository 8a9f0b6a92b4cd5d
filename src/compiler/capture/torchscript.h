#pragma once

#include <torch/csrc/jit/api/module.h>

#include <memory>
#include <string>

#include "compiler/graph.h"

namespace torch_tensorrt::compiler {

/// A method as a Graph, with the frozen module that owns what is left of its attributes (state that
/// forward writes).
struct Captured {
  std::unique_ptr<Graph> graph;
  torch::jit::Module module;
  /// The TorchScript graph that the Graph was decoded from; nodes may refer to it.
  std::shared_ptr<torch::jit::Graph> source;
};

/// Freezes, inlines and removes mutation with torch::jit's own passes, then decodes. The Graph's
/// first input is self. Throws core::Error(invalid_argument) where the method does not exist.
TORCHTRT_API Captured capture_torchscript(const torch::jit::Module& module,
                                          const std::string& method);

}  // namespace torch_tensorrt::compiler
