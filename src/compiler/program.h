#pragma once

// A program that a frontend outside of C++ captured (FX, torch.export) and decoded node by node:
// its Graph, flat inputs and outputs, and the tensors that it reads and writes.

#include <torch/csrc/jit/api/module.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/graph.h"
#include "core/export.h"

namespace torch_tensorrt::compiler {

class TORCHTRT_API Program {
 public:
  Program();

  Graph& graph() { return *graph_; }
  const Graph& graph() const { return *graph_; }
  /// Holds the state as attributes.
  const torch::jit::Module& module() const { return module_; }

  Var* add_input(const c10::TypePtr& type, const std::string& name);
  /// A tensor that belongs to the program and that it may write: another input of the Graph, which
  /// callers do not give. All states come after all inputs.
  Var* add_state(const std::string& name, const at::Tensor& tensor);
  /// Appends a node with the operator's schema; `args` are in schema order, defaults filled in.
  /// Tensor results that share memory with state or inputs that the program writes must be pinned
  /// by the caller (Node::torch_code).
  Node* add_op(Block& block, std::shared_ptr<torch::jit::Operator> op, std::vector<Argument> args,
               core::Origin origin, std::vector<std::string> module_types);
  void set_outputs(std::vector<Argument> outputs);

  /// The Graph's inputs without self: the program's own, then its states.
  std::size_t input_count() const { return graph_->body().inputs.size() - 1 - states_.size(); }
  const std::vector<std::string>& states() const { return states_; }

 private:
  std::unique_ptr<Graph> graph_;
  torch::jit::Module module_;
  std::vector<std::string> states_;
};

/// The operator "aten::add" with the overload "Tensor", or null.
TORCHTRT_API std::shared_ptr<torch::jit::Operator> find_operator(const std::string& name,
                                                                 const std::string& overload);

}  // namespace torch_tensorrt::compiler
