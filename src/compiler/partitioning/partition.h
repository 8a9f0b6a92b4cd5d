#pragma once

#include <functional>
#include <unordered_map>
#include <vector>

#include "compiler/conversion/convert.h"
#include "compiler/graph.h"
#include "core/settings.h"

namespace torch_tensorrt::compiler {

/// Nodes of one block that become one engine, in program order.
struct Segment {
  std::vector<Node*> nodes;
  /// Values that something outside reads.
  std::vector<Var*> outputs;
  /// Some of its inputs' types are guesses: the engine is guarded by a check of its inputs.
  bool speculative = false;
};

using Decisions = std::unordered_map<const Node*, NodeSupport>;

/// For every node of the graph: does an engine take it, or why not. Users' exclusions come first.
TORCHTRT_API Decisions decide(Graph& graph, const core::Settings& settings,
                              const core::EnginePlugin& plugin);

/// The segments of one block, as few as its dependencies allow. Nodes that end up in no segment get
/// their reason in `decisions`. Blocks within are not entered.
TORCHTRT_API std::vector<Segment> partition(Block& block, const core::Settings& settings,
                                            Decisions& decisions);

/// Nodes that must keep their order among themselves; `is_write` ones also against everything else.
bool is_ordered(const Node& node);
bool is_write(const Node& node);
/// Values that a node reads, those read by blocks within included.
std::vector<Var*> reads(const Node& node);

/// Sorts a block's nodes so that definitions come first, staying close to the order given by
/// `rank`.
TORCHTRT_API void sort_block(Block& block,
                             const std::unordered_map<const Node*, std::size_t>& rank);

}  // namespace torch_tensorrt::compiler
