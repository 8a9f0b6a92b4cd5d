#pragma once

#include <ATen/core/Tensor.h>

#include <string>

#include "engines/conformance/row.h"

namespace torch_tensorrt::engines::conformance {

/// What is wrong with `got`: dtype, dimensions, places of NaN and infinity, or values out of
/// tolerance, with the worst element. Empty if nothing is.
std::string difference(const at::Tensor& got, const at::Tensor& expected, Tolerance tolerance);

}  // namespace torch_tensorrt::engines::conformance
