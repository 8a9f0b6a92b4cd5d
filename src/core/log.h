#pragma once

#include <string>
#include <string_view>

#include "core/export.h"
#include "core/text.h"

namespace torch_tensorrt::core {

/// Levels of the log; a message is printed (to stderr) when its level is at most the reportable
/// one.
enum class LogLevel { internal_error = 0, error = 1, warning = 2, info = 3, debug = 4, graph = 5 };

TORCHTRT_API void log(LogLevel level, std::string_view message);
TORCHTRT_API bool log_enabled(LogLevel level);
TORCHTRT_API LogLevel reportable_log_level();  ///< default: warning
TORCHTRT_API void set_reportable_log_level(LogLevel level);
TORCHTRT_API std::string logging_prefix();  ///< default: "[Torch-TensorRT] - "
TORCHTRT_API void set_logging_prefix(std::string prefix);
TORCHTRT_API bool is_colored_output_on();  ///< default: false
TORCHTRT_API void set_is_colored_output_on(bool on);

template <typename... Args>
void log_info(const Args&... args) {
  if (log_enabled(LogLevel::info)) log(LogLevel::info, text(args...));
}
template <typename... Args>
void log_warning(const Args&... args) {
  if (log_enabled(LogLevel::warning)) log(LogLevel::warning, text(args...));
}
template <typename... Args>
void log_debug(const Args&... args) {
  if (log_enabled(LogLevel::debug)) log(LogLevel::debug, text(args...));
}

}  // namespace torch_tensorrt::core
