#pragma once

#include <torch/csrc/utils/pybind.h>

#include "core/settings.h"

namespace torch_tensorrt::python {

/// Keyword arguments as Settings: bool, int, str, or a list, tuple or set of str. Throws
/// core::Error naming the setting.
core::Settings to_settings(const pybind11::dict& keywords);

}  // namespace torch_tensorrt::python
