#pragma once

// Replays a script on TensorRT's C++ API. Compiled with NVIDIA's headers; links nothing of NVIDIA.

#include <NvInfer.h>

#include "engines/tensorrt/script.h"

namespace torch_tensorrt::engines::tensorrt {

/// Makes the script's calls on `network`, which refers to the script's weights: the script must
/// live until the engine is built. Throws core::Error naming the step which TensorRT refuses, whose
/// value it ignores, or which this version of TensorRT does not have.
void play(const Script& script, nvinfer1::INetworkDefinition& network,
          nvinfer1::IPluginRegistry& registry);

}  // namespace torch_tensorrt::engines::tensorrt
