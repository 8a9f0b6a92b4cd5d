#pragma once

#include <cstddef>
#include <unordered_set>

#include "compiler/graph.h"

namespace torch_tensorrt::compiler {

/// A list or dict that is made and then written in the same block becomes a new one after each
/// write: engines and facts know values, not places. Returns how many writes are gone.
TORCHTRT_API std::size_t functionalize_containers(Graph& graph);

/// Lists, dicts and tuples of such that a write may change: nothing is known of what they hold.
TORCHTRT_API std::unordered_set<const Var*> written_containers(Graph& graph);

}  // namespace torch_tensorrt::compiler
