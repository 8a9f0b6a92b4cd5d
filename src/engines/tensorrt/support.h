#pragma once

#include "core/engine.h"
#include "engines/tensorrt/emit.h"

namespace torch_tensorrt::engines::tensorrt {

/// Does TensorRT (or TensorRT-RTX: `is_rtx`) take the layer with these types?
core::Support supports(const core::Network& network, const core::Node& node, Version version,
                       bool is_rtx);

}  // namespace torch_tensorrt::engines::tensorrt
