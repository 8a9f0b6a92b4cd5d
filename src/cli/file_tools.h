#pragma once

// torchtrtc inspect, verify, strip, diff and cache: what can be asked of files and of the engine
// cache without compiling anything.

#include <string>
#include <vector>

namespace torch_tensorrt::cli {

enum ExitCode { kDone = 0, kFailed = 1, kUsage = 2, kDiffers = 3 };

/// Does the command line begin with one of the tools' names?
bool is_file_tool(const std::vector<std::string>& words);
/// Throws UsageError where the words behind the name do not fit, core::Error where a file does not.
int run_file_tool(const std::vector<std::string>& words);

}  // namespace torch_tensorrt::cli
