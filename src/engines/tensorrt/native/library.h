#pragma once

#include <NvInfer.h>

#include <memory>
#include <string>

namespace torch_tensorrt::engines::tensorrt {

/// A new builder of the library at `path`, or of the one that the loader finds where it is empty.
/// Throws core::Error: unavailable where there is none, incompatible where it is of a version that
/// these headers do not describe.
std::unique_ptr<nvinfer1::IBuilder> create_builder(const std::string& path,
                                                   nvinfer1::ILogger& logger);

}  // namespace torch_tensorrt::engines::tensorrt
