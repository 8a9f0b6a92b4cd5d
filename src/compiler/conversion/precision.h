#pragma once

#include "core/engine.h"
#include "core/network.h"

namespace torch_tensorrt::compiler {

/// The Network with its float32 convolutions and matrix products computed in `to` (f16 or bf16),
/// where the plugin takes them; everything else, norms and softmax above all, stays float32. Inputs
/// and outputs keep their dtypes.
TORCHTRT_API core::Network with_reduced_precision(const core::Network& network, core::DType to,
                                                  const core::EnginePlugin& plugin);

}  // namespace torch_tensorrt::compiler
