#pragma once

#include <torch/csrc/jit/api/module.h>

#include <memory>
#include <string>
#include <vector>

#include "compiler/graph.h"

namespace torch_tensorrt::compiler {

/// Copies of a module that nobody will call. PyTorch's compilation unit, which may live as long as
/// the process, keeps the methods of every clone, with the weights that freezing puts into them:
/// this takes them out again.
class TORCHTRT_API Scratch {
 public:
  Scratch() = default;
  Scratch(Scratch&&) = default;
  Scratch& operator=(Scratch&&) = default;
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch();

  torch::jit::Module clone(const torch::jit::Module& module);
  void adopt(const torch::jit::Module& module);

 private:
  struct Method {
    std::shared_ptr<torch::jit::CompilationUnit> unit;
    c10::ClassTypePtr owner;
    c10::QualifiedName name;
  };
  std::vector<Method> methods_;
};

/// A method as a Graph, with the frozen module that owns what is left of its attributes (state that
/// forward writes).
struct Captured {
  Scratch scratch;
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
