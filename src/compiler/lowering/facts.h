#pragma once

#include <vector>

#include "compiler/graph.h"

namespace torch_tensorrt::compiler {

/// The body's inputs at one set of shapes: meta tensors for tensors, examples for the rest; nothing where nothing is
/// known.
using Probe = std::vector<std::optional<c10::IValue>>;

/// Runs the Graph on every probe and leaves in each Var what was seen. The first `required` probes (min, opt, max) must
/// agree with the program; a further one at which an op fails is dropped, since not every size between is legal.
///
/// `fixed`: inputs whose value is the same in every call (arguments left at their defaults).
TORCHTRT_API void infer_facts(Graph& graph, std::vector<Probe> probes, std::size_t required,
                              const std::vector<std::size_t>& fixed = {});

/// A list IValue of that element type.
c10::IValue make_list(const c10::TypePtr& element_type, const std::vector<c10::IValue>& elements);

}  // namespace torch_tensorrt::compiler
