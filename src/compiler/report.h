#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/export.h"
#include "core/network.h"

namespace torch_tensorrt::compiler {

/// What became of one node of the Graph.
struct NodeReport {
  std::string op;  ///< "aten::softmax.int"
  core::Origin origin;
  int engine = -1;     ///< index into Report::engines, or -1: PyTorch
  std::string code;    ///< why it is in PyTorch: no_converter, refused, engine_refused, type, user,
                       ///< control_flow, min_block_size, build_failed
  std::string reason;  ///< the same as a sentence
  bool host = false;   ///< arithmetic on sizes and numbers, which costs nothing and is not counted
};

struct EngineReport {
  std::string name;
  std::string plugin;   ///< "openvino"
  std::string version;  ///< of the engine's library
  std::size_t layers = 0;
  std::vector<std::string> inputs, outputs;  ///< "x: f32[1..4..8, 3, 224, 224]"
  std::string network;                       ///< the Network's text form
};

/// What became of every node: an engine, or PyTorch with a reason.
struct TORCHTRT_API Report {
  std::vector<EngineReport> engines;
  std::vector<NodeReport> nodes;

  std::size_t total_ops() const;   ///< nodes that compute (host arithmetic left out)
  std::size_t engine_ops() const;  ///< those in engines
  /// One line: "openvino: 1 engine, 173 of 175 ops; PyTorch: aten::foo x2 (reason)".
  std::string summary() const;
  /// A table for people.
  std::string to_text() const;
  std::string to_json() const;
  /// What to_json() wrote, as a compiled module carries it. Throws Error(invalid_argument) where it
  /// is something else.
  static Report from_json(const std::string& text);
};

}  // namespace torch_tensorrt::compiler
