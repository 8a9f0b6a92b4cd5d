#pragma once

#include <unordered_map>
#include <vector>

#include "compiler/graph.h"

namespace torch_tensorrt::compiler {

/// A copy of `from`'s nodes before `position` (or at the end of `to`), with values replaced as in
/// `map`, which gets an entry for every copied result. Returns the copied block outputs.
using VarMap = std::unordered_map<const Var*, Argument>;
TORCHTRT_API std::vector<Argument> clone_into(Graph& graph, const Block& from, Block& to,
                                              Node* position, VarMap& map);
/// One node; used by clone_into.
TORCHTRT_API Node* clone_node(Graph& graph, const Node& from, Block& to, Node* position,
                              VarMap& map);

}  // namespace torch_tensorrt::compiler
