#pragma once

#include <vector>

#include "compiler/graph.h"
#include "compiler/probe.h"

namespace torch_tensorrt::compiler {

/// Runs the Graph on every probe and leaves in each Var what was seen. The first `required` probes
/// (min, opt, max) must agree with the program; a further one at which an op fails is dropped,
/// since not every size between is legal.
///
/// `fixed`: inputs whose value is the same in every call (arguments left at their defaults).
TORCHTRT_API void infer_facts(Graph& graph, std::vector<Probe> probes, std::size_t required,
                              const std::vector<std::size_t>& fixed = {});

/// Do all ops that run on the first probe run on the second one as well, without large tensors?
TORCHTRT_API bool runs_at(Graph& graph, const Probe& usual, const Probe& other);

}  // namespace torch_tensorrt::compiler
