#pragma once

// One small network per layer kind, for tests that every kind must pass.

#include <string>
#include <vector>

#include "core/network.h"

namespace examples {

struct Example {
  std::string kind;
  torch_tensorrt::core::Network network;
};

/// At least one example of every kind of core::Layer; every attribute of it differs from its
/// default somewhere.
std::vector<Example> every_kind();

}  // namespace examples
