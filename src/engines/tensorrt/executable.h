#pragma once

#include <memory>

#include "core/engine.h"
#include "core/foreign.h"
#include "engines/tensorrt/cuda.h"

namespace torch_tensorrt::engines::tensorrt {

/// How many shapes a context keeps CUDA graphs of.
inline constexpr std::size_t kMaxGraphs = 8;

/// Runs a loaded plan on that GPU. `cuda` lives as long as the process.
std::unique_ptr<core::Executable> make_executable(std::unique_ptr<core::ForeignEngine> engine,
                                                  const Cuda& cuda, int device);

}  // namespace torch_tensorrt::engines::tensorrt
