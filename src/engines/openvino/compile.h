#pragma once

// From a Network to a compiled model, each only once: kept in the process from build to load, and
// on disk in a cache folder.

#include <string>

#include "core/engine.h"
#include "openvino/runtime/compiled_model.hpp"

namespace torch_tensorrt::engines::openvino {

/// "2026.4.1".
std::string short_version();
/// Version with build number and commit: compiled blobs fit no other build.
std::string full_version();

/// Compiles, or takes the cache's blob, and keeps the result for the load that follows.
ov::CompiledModel compile_and_keep(const core::Network& network, const core::BuildOptions& options);
/// What compile_and_keep kept for an equal network (it is forgotten here), else compiled now or
/// taken from the cache.
ov::CompiledModel take_or_compile(const core::Network& network, const core::BuildOptions& options);

}  // namespace torch_tensorrt::engines::openvino
