#pragma once

#include <NvInfer.h>

#include <memory>

#include "core/blob.h"
#include "core/foreign.h"
#include "engines/tensorrt/native/logger.h"

namespace torch_tensorrt::engines::tensorrt {

/// A plan on the current GPU. `logger` is the runtime's. Throws core::Error with TensorRT's words.
std::unique_ptr<core::ForeignEngine> load_engine(std::unique_ptr<Logger> logger,
                                                 std::unique_ptr<nvinfer1::IRuntime> runtime,
                                                 const core::Blob& plan);

}  // namespace torch_tensorrt::engines::tensorrt
