#pragma once

#include <torch/script.h>

#include <string>

namespace torch_tensorrt::cli {

/// The module in a file of torch.jit.save. Throws core::Error naming the file.
torch::jit::Module load_module(const std::string& path);

/// Throws core::Error where `path` can be no file to write, before minutes are spent on what it is
/// for.
void check_output(const std::string& path);

/// Writes such a file: the old one or the new one is there, whatever happens.
void save_module(const std::string& path, const torch::jit::Module& module);

}  // namespace torch_tensorrt::cli
