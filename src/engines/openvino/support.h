#pragma once

#include "core/engine.h"

namespace torch_tensorrt::engines::openvino {

/// Whether OpenVINO computes the layer as the Network means it; never yes where the build would
/// refuse it.
core::Support supports(const core::Network& network, const core::Node& node);

}  // namespace torch_tensorrt::engines::openvino
