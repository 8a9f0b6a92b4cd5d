#pragma once

#include <torch/script.h>

#include <vector>

#include "compiler/driver.h"

namespace torch_tensorrt::cli {

struct Tolerance {
  double atol = 1e-8;
  double rtol = 1e-5;  ///< of the largest element
};

/// Runs both modules on random inputs of the usual shapes and warns where they differ by more than
/// the tolerance, or where the comparison is not possible.
void compare(torch::jit::Module& original, torch::jit::Module& compiled,
             const std::vector<compiler::InputSpec>& inputs, const Tolerance& tolerance);

}  // namespace torch_tensorrt::cli
