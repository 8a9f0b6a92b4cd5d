#pragma once

#include <functional>
#include <string>
#include <vector>

namespace torch_tensorrt::cli {

/// All bytes of a file. Throws core::Error naming it.
std::vector<std::byte> read_file(const std::string& path);

/// Lets `write` fill a new file in the folder of `path` and puts it in place of `path` when it is
/// complete: whatever happens, `path` is the old file or the new one. Throws core::Error naming it.
void write_atomically(const std::string& path,
                      const std::function<void(const std::string&)>& write);

}  // namespace torch_tensorrt::cli
