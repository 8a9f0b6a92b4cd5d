#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "core/dtype.h"
#include "core/layers.h"

namespace torch_tensorrt::engines::reference {

using Tensors = std::vector<at::Tensor>;

/// The ATen type that carries a Network dtype. i4 travels as one i8 per element. Throws
/// Error(unsupported) for f4.
at::ScalarType scalar_type(core::DType dtype);

/// The constant as a tensor on `device`; on the CPU it shares the blob's memory where the layout
/// allows it.
at::Tensor constant_tensor(const core::Tensor& constant, at::Device device);

}  // namespace torch_tensorrt::engines::reference
