#pragma once

#include "compiler/graph.h"

namespace torch_tensorrt::compiler {

/// float64 becomes float32 within the program: its inputs, weights and constants, and the dtypes
/// that its ops ask for. Results keep the dtypes that they had. Needs facts; those of all values
/// change.
TORCHTRT_API void truncate_doubles(Graph& graph);

}  // namespace torch_tensorrt::compiler
