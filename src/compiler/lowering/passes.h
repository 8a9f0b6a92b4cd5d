#pragma once

#include <cstddef>
#include <vector>

#include "compiler/graph.h"
#include "compiler/lowering/facts.h"

namespace torch_tensorrt::compiler {

/// Runs the passes below in order until nothing changes; afterwards every Var has its facts.
TORCHTRT_API void lower(Graph& graph, const std::vector<Probe>& probes, std::size_t required,
                        const std::vector<std::size_t>& fixed = {});

// Each pass returns how many places it changed.

/// A node whose results are the same for every shape becomes constants: masks, position tables,
/// sizes of static inputs.
TORCHTRT_API std::size_t fold_constants(Graph& graph);
/// An if whose condition is known becomes the taken branch: shape checks of scripted code stand in
/// the way of one engine.
TORCHTRT_API std::size_t fold_branches(Graph& graph);
/// A loop with a known trip count becomes its trips: engines take straight lines.
TORCHTRT_API std::size_t unroll_loops(Graph& graph);
/// An element of a tuple made in the graph becomes the element itself: folded branches leave such
/// tuples.
TORCHTRT_API std::size_t fold_tuples(Graph& graph);
/// A tensor list of known length becomes its elements: engines have tensors, not lists.
TORCHTRT_API std::size_t unpack_lists(Graph& graph);

}  // namespace torch_tensorrt::compiler
