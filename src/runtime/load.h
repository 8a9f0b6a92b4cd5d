#pragma once

#include <c10/core/Device.h>

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

/// Where an artifact is to run here, whose bytes are on that device: on the GPU that they are on;
/// else where a plan of the artifact's own engine fits, the CPU, the current GPU or the first one;
/// else where that engine runs, the CPU if it can.
core::EngineDevice device_for(const core::Artifact& artifact, at::Device bytes);

}  // namespace torch_tensorrt::runtime
