#pragma once

// From a whole Network to a script of TensorRT builder calls.

#include <string>

#include "core/network.h"
#include "engines/tensorrt/emit.h"

namespace torch_tensorrt::engines::tensorrt {

/// Inputs, layers and outputs in the Network's order; weights are shared, not copied. Throws
/// core::Error(unsupported) naming the layer that TensorRT cannot take.
Script to_script(const core::Network& network, Version version);

/// Emits one layer by itself; the reason why that fails, or an empty text.
std::string why_not_emitted(const core::Network& network, const core::Node& node, Version version);

}  // namespace torch_tensorrt::engines::tensorrt
