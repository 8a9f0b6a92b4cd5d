#pragma once

// What a plan says about where it loads. TensorRT's plans are for one version and one GPU
// architecture, unless they were built to be compatible: then a '+' stands behind.

#include <string>

#include "core/engine.h"

namespace torch_tensorrt::engines::tensorrt {

/// A plan without its payload. Hardware-compatible ones run on all GPUs from sm_80 on,
/// version-compatible ones in all later versions of the same major number.
core::Plan tagged_plan(std::string engine, std::string version, std::string device,
                       const core::TensorRtOptions& options);

bool tag_fits(const core::Plan& plan, const std::string& version, const std::string& device);

}  // namespace torch_tensorrt::engines::tensorrt
