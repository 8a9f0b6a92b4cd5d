#pragma once

// From a whole Network to an ov::Model.

#include <memory>
#include <string>
#include <vector>

#include "core/network.h"
#include "engines/openvino/emit.h"

namespace torch_tensorrt::engines::openvino {

/// Parameters and results in the order of the Network's inputs and outputs, then one bool result
/// per open assertion. Weights are shared with the Network, not copied. Throws
/// core::Error(internal) naming the layer.
std::shared_ptr<ov::Model> to_model(const core::Network& network);

/// The body of a loop or if: dynamic dimensions without bounds, for they may grow from trip to
/// trip.
std::shared_ptr<ov::Model> to_body(const core::Network& network);

/// The assertions whose outcome is known only at run time, in the order of their results.
std::vector<const core::Node*> open_assertions(const core::Network& network);

/// Emits one layer by itself, its operands as parameters; the reason why that fails, or an empty
/// text.
std::string why_not_emitted(const core::Network& network, const core::Node& node);

}  // namespace torch_tensorrt::engines::openvino
