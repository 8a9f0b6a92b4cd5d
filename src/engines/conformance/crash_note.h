#pragma once

#include <string>

namespace torch_tensorrt::engines::conformance {

/// Makes a crash of the process print the current test's name to stderr before it ends.
void install_crash_note();
void note_current_test(const std::string& name);

}  // namespace torch_tensorrt::engines::conformance
