#pragma once

#include <vector>

#include "compiler/capture/torchscript.h"
#include "compiler/probe.h"

namespace torch_tensorrt::compiler {

/// Is there work worth an engine (convolutions, products of matrices) whose types do not follow
/// from the inputs' types? Data-dependent sizes and lists of unknown length before it hide them.
TORCHTRT_API bool has_unknown_work(Graph& graph);

/// Runs the method in PyTorch, once for each probe, on random tensors of the probes' types on
/// `device`, and leaves in Var::observed which types its values had. What is built on such a type
/// is a guess, guarded at run time. False where the method cannot run on random tensors: nothing is
/// observed, and one INFO line says why.
TORCHTRT_API bool observe(const Captured& captured, const std::vector<Probe>& probes,
                          at::Device device);

}  // namespace torch_tensorrt::compiler
