#include "cli/modules.h"

#include <torch/csrc/jit/serialization/export.h>

#include <filesystem>
#include <string_view>

#include "core/error.h"
#include "core/files.h"

namespace torch_tensorrt::cli {
namespace {

namespace fs = std::filesystem;

/// What torch.jit.load says, without its advice for files of torch.save.
std::string reason(const c10::Error& error) {
  const std::string all = error.what_without_backtrace();
  const std::string_view advice = ". This is an internal miniz error";
  return all.substr(0, all.find(advice));
}

}  // namespace

torch::jit::Module load_module(const std::string& path) {
  const fs::file_status status = fs::status(path);
  if (!fs::exists(status)) throw core::invalid_argument("cannot read '", path, "': no such file");
  if (!fs::is_regular_file(status)) {
    throw core::invalid_argument(
        "cannot read '", path, "': ", fs::is_directory(status) ? "it is a folder" : "it is no file",
        ", expected a file of torch.jit.save");
  }
  try {
    return torch::jit::load(path);
  } catch (const c10::Error& error) {
    const std::string why = reason(error);
    const bool unknown_op = why.find("Unknown builtin op") != std::string::npos;
    throw core::invalid_argument(
        "cannot load '", path, "' as a TorchScript module: ", why, "; ",
        unknown_op ? "--custom-torch-ops=LIBRARY loads the library that has the op"
                   : "expected a file of torch.jit.save (those of torch.save and torch.export.save "
                     "hold no TorchScript)");
  }
}

void check_output(const std::string& path) {
  if (fs::is_directory(path)) {
    throw core::invalid_argument("cannot write '", path, "': it is a folder, expected a file");
  }
  if (path.empty()) throw core::invalid_argument("the name of the file to write is empty");
  const fs::path folder = fs::absolute(path).parent_path();
  if (!fs::is_directory(folder)) {
    throw core::invalid_argument("cannot write '", path, "': there is no folder '", folder.string(),
                                 "'; make it first");
  }
}

void save_module(const std::string& path, const torch::jit::Module& module) {
  core::write_atomically(path, [&](std::ostream& out) {
    // PyTorch's writer ends the program where it is told of a failure; the stream remembers it.
    torch::jit::ExportModule(module, [&](const void* data, std::size_t size) {
      out.write(static_cast<const char*>(data), static_cast<std::streamsize>(size));
      return size;
    });
  });
}

}  // namespace torch_tensorrt::cli
