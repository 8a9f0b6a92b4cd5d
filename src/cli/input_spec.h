#pragma once

#include <string>

#include "compiler/driver.h"

namespace torch_tensorrt::cli {

/// An input as written on the command line:
///   spec   := shape ['@' dtype] ['%' format]
///   shape  := tuple | '[' tuple ';' tuple ';' tuple ']'     (min; opt; max)
///   tuple  := '(' [int {',' int}] ')'
/// Blanks are ignored, names are case-insensitive. Throws UsageError with the place marked by a
/// caret.
compiler::InputSpec parse_input_spec(const std::string& text);

}  // namespace torch_tensorrt::cli
