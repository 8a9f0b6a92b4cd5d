#include "cli/modules.h"

#include <filesystem>

#include "core/error.h"

namespace torch_tensorrt::cli {

torch::jit::Module load_module(const std::string& path) {
  if (!std::filesystem::exists(path)) {
    throw core::invalid_argument("cannot read '", path, "': no such file");
  }
  try {
    return torch::jit::load(path);
  } catch (const c10::Error& error) {
    throw core::invalid_argument("cannot load '", path,
                                 "' as a TorchScript module: ", error.what_without_backtrace());
  }
}

}  // namespace torch_tensorrt::cli
