#pragma once

#include <functional>
#include <string>

namespace torch_tensorrt::tests {

/// How the engines of C++ use TensorRT's runtime; reports each check with its name, whether it
/// passed and what was wrong.
void check_engines(const std::function<void(const std::string&, bool, const std::string&)>& report);

}  // namespace torch_tensorrt::tests
