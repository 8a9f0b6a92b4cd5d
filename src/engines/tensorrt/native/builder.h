#pragma once

// Builds an engine with TensorRT's builder.

#include <NvInfer.h>

#include "core/blob.h"
#include "core/engine.h"
#include "engines/tensorrt/native/logger.h"
#include "engines/tensorrt/script.h"

namespace torch_tensorrt::engines::tensorrt {

/// `logger` is the builder's.
core::Blob build(nvinfer1::IBuilder& builder, Logger& logger, const Script& script,
                 const core::BuildOptions& options);

}  // namespace torch_tensorrt::engines::tensorrt
