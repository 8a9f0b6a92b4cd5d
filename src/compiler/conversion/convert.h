#pragma once

#include <string>
#include <vector>

#include "compiler/conversion/op_context.h"
#include "compiler/graph.h"
#include "core/engine.h"

namespace torch_tensorrt::compiler {

/// Whether an engine takes a node; if not, a report code and a sentence.
struct NodeSupport {
  bool yes = true;
  std::string code;
  std::string reason;
};

/// Arithmetic on sizes and numbers, or on 0-d host tensors as traces have them: free, and never a
/// reason for a border. A segment recomputes what it needs of it.
TORCHTRT_API bool is_host(const Var& var);
TORCHTRT_API bool is_host(const Node& node);
/// An if or loop with nothing but such arithmetic and exceptions in it: a check of sizes. It stays
/// in PyTorch and is not counted.
TORCHTRT_API bool is_host_control(const Node& node);

/// Converts the node alone, on values of its types, and asks the plugin for every layer.
TORCHTRT_API NodeSupport supports(const Node& node, const core::EnginePlugin& plugin);

/// A Network and the Vars that are its inputs (tensors, or ints for host inputs), in order.
struct ConvertedSegment {
  core::Network network;
  std::vector<Var*> inputs;
};

/// Converts nodes (in program order) into one Network with the given outputs. Throws core::Error.
TORCHTRT_API ConvertedSegment convert(const std::vector<Node*>& nodes,
                                      const std::vector<Var*>& outputs);

}  // namespace torch_tensorrt::compiler
