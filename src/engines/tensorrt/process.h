#pragma once

#include <memory>

#include "core/foreign.h"

namespace torch_tensorrt::engines::tensorrt {

/// Builds in a Python process of its own: for programs that hold no Python themselves. The
/// interpreter is $TORCHTRT_PYTHON, else python3; it needs the vendor's module and numpy.
std::shared_ptr<const core::ForeignLibrary> process_library();

}  // namespace torch_tensorrt::engines::tensorrt
