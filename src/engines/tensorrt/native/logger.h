#pragma once

#include <NvInfer.h>

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/log.h"
#include "core/text.h"
#include "engines/tensorrt/native/versions.h"

namespace torch_tensorrt::engines::tensorrt {

/// Hands TensorRT's messages on and keeps its errors for the exception. Messages of all levels but
/// errors are for those who debug.
class Logger final : public nvinfer1::ILogger {
 public:
  void log(Severity severity, const char* message) noexcept override {
    const std::lock_guard lock(mutex_);
    if (severity <= Severity::kERROR) errors_.emplace_back(message);
    core::log(severity == Severity::kWARNING ? core::LogLevel::info : core::LogLevel::debug,
              core::text(kProduct, ": ", message));
  }

  void forget_errors() {
    const std::lock_guard lock(mutex_);
    errors_.clear();
  }
  bool has_errors() const {
    const std::lock_guard lock(mutex_);
    return !errors_.empty();
  }
  /// "; TensorRT says: ...", or nothing.
  std::string errors() const {
    const std::lock_guard lock(mutex_);
    return errors_.empty() ? "" : core::text("; ", kProduct, " says: ", core::join(errors_, "; "));
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> errors_;
};

template <class T>
std::unique_ptr<T> owned(T* made, const char* what) {
  if (made == nullptr) throw core::unsupported("[engine tensorrt] ", kProduct, " gives no ", what);
  return std::unique_ptr<T>(made);
}

inline void check(bool accepted, const std::string& what) {
  if (!accepted) throw core::unsupported("[engine tensorrt] ", kProduct, " refuses ", what);
}

}  // namespace torch_tensorrt::engines::tensorrt
