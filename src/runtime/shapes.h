#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/artifact.h"

namespace torch_tensorrt::runtime {

/// An input of known sizes, and its elements where the host knows them.
struct StaticInput {
  std::vector<std::int64_t> dims;
  std::optional<std::vector<std::int64_t>> content;
};

/// The sizes of the artifact's outputs for these inputs. Throws Error(unsupported) where a size
/// depends on data, or where the artifact has no Network to compute it.
std::vector<std::vector<std::int64_t>> infer_output_shapes(const core::Artifact& artifact,
                                                           const std::vector<StaticInput>& inputs);

}  // namespace torch_tensorrt::runtime
