#pragma once

#include <stdexcept>
#include <string>
#include <utility>

#include "core/export.h"
#include "core/text.h"

namespace torch_tensorrt::core {

/// Whose fault an error is. Each kind has one Python type (given behind it).
enum class ErrorKind {
  invalid_argument,  ///< ValueError: the caller's value does not fit.
  unsupported,       ///< NotImplementedError: understood, but no engine or converter takes it.
  unknown_setting,   ///< TypeError: no setting of that name.
  unavailable,       ///< ImportError: a library, file or device is missing.
  incompatible,      ///< RuntimeError: made for another version, device or format.
  engine_failed,  ///< RuntimeError: an engine's library failed in a call, for want of memory say.
  internal,       ///< RuntimeError: a defect of ours; the message asks for a report.
};

/// The one exception type of the project. The text says: stage, op, the user's file:line, what was
/// got, what was expected and what to do.
class TORCHTRT_API Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}
  ErrorKind kind() const noexcept { return kind_; }

 private:
  ErrorKind kind_;
};

template <typename... Args>
[[nodiscard]] Error invalid_argument(const Args&... args) {
  return {ErrorKind::invalid_argument, text(args...)};
}
template <typename... Args>
[[nodiscard]] Error unsupported(const Args&... args) {
  return {ErrorKind::unsupported, text(args...)};
}
template <typename... Args>
[[nodiscard]] Error unavailable(const Args&... args) {
  return {ErrorKind::unavailable, text(args...)};
}
template <typename... Args>
[[nodiscard]] Error incompatible(const Args&... args) {
  return {ErrorKind::incompatible, text(args...)};
}
template <typename... Args>
[[nodiscard]] Error engine_failed(const Args&... args) {
  return {ErrorKind::engine_failed, text(args..., "; the next call loads the engine anew")};
}
template <typename... Args>
[[nodiscard]] Error internal_error(const Args&... args) {
  return {ErrorKind::internal,
          text(args..., "; this is a defect of Torch-TensorRT, please report it")};
}

}  // namespace torch_tensorrt::core
