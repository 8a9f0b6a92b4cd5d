#pragma once

#include <span>
#include <sstream>
#include <string>
#include <string_view>

namespace torch_tensorrt::core {

/// The arguments streamed one after the other, as one string.
template <typename... Args>
std::string text(const Args&... args) {
  std::ostringstream out;
  (out << ... << args);
  return std::move(out).str();
}

/// Elements joined by `separator`.
template <typename Range>
std::string join(const Range& range, std::string_view separator = ", ") {
  std::ostringstream out;
  std::string_view between;
  for (const auto& element : range) {
    out << between << element;
    between = separator;
  }
  return std::move(out).str();
}

}  // namespace torch_tensorrt::core
