#pragma once

#include <string>

#include "core/artifact.h"
#include "core/engine.h"
#include "engines/conformance/row.h"

namespace torch_tensorrt::engines::conformance {

/// One run on a context. Inputs are on the host and are moved to the device; the results come back
/// to the host. Throws core::Error where a result's type is not what the network says.
Tensors execute(core::Context& context, const core::Network& network, const Tensors& inputs,
                core::EngineDevice device);

/// The executable of a network, by build and load.
std::unique_ptr<core::Executable> make_executable(const core::EnginePlugin& engine,
                                                  const core::Network& network,
                                                  const core::BuildOptions& options);

/// The network as that engine's artifact, without a plan.
core::Artifact artifact_of(std::string_view engine, const core::Network& network);

/// The executable of an artifact that was written to bytes and read back.
std::unique_ptr<core::Executable> reloaded_executable(const core::EnginePlugin& engine,
                                                      const core::Network& network,
                                                      const core::BuildOptions& options);

}  // namespace torch_tensorrt::engines::conformance
