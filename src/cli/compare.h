#pragma once

#include <torch/script.h>

#include <string>
#include <vector>

#include "compiler/driver.h"

namespace torch_tensorrt::cli {

struct Tolerance {
  double atol = 1e-8;
  double rtol = 1e-5;  ///< of the largest element
};

/// Runs both modules on random inputs of the usual shapes. Gives a sentence for each output that
/// differs by more than the tolerance, or one that says why the comparison is not possible.
std::vector<std::string> compare(torch::jit::Module& original, torch::jit::Module& compiled,
                                 const std::vector<compiler::InputSpec>& inputs,
                                 const Tolerance& tolerance);

}  // namespace torch_tensorrt::cli
