#pragma once

// The artifact's manifest: strict JSON.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/artifact.h"

namespace torch_tensorrt::core {

inline constexpr std::size_t kMaxManifest = std::size_t{1} << 20;

struct Manifest {
  std::string name, producer, preferred_engine;
  bool alternates = false;
  std::vector<IoEntry> inputs, outputs;
  std::vector<Plan> plans;  ///< without payloads
  std::vector<std::pair<std::uint64_t, std::uint64_t>>
      weights;  ///< offset and size in the weights section
};

/// Throws Error(invalid_argument) where a limit is passed or a text is not UTF-8.
std::string write_manifest(const Manifest& manifest);
/// Throws Error(incompatible) on anything that write_manifest would not write, unknown keys
/// excepted.
Manifest read_manifest(std::string_view json);

}  // namespace torch_tensorrt::core
