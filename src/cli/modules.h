#pragma once

#include <torch/script.h>

#include <string>

namespace torch_tensorrt::cli {

/// The module in a file of torch.jit.save. Throws core::Error naming the file.
torch::jit::Module load_module(const std::string& path);

}  // namespace torch_tensorrt::cli
