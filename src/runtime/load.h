#pragma once

#include <memory>
#include <string>

#include "core/artifact.h"
#include "core/engine.h"
#include "runtime/engine.h"

namespace torch_tensorrt::runtime {

struct Loaded {
  std::string plugin;
  std::unique_ptr<core::Executable> executable;
};

/// Chooses plugin and plan for this machine and loads it, or builds the engine from the artifact's
/// Network.
Loaded load(const core::Artifact& artifact, const LoadOptions& options);

/// The kind of device that the artifact's own plugin runs on here: CPU where it can.
core::DeviceKind device_kind_of(const core::Artifact& artifact);

}  // namespace torch_tensorrt::runtime
