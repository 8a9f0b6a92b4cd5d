#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/engine.h"
#include "openvino/runtime/compiled_model.hpp"

namespace torch_tensorrt::engines::openvino {

/// What the runtime must know of the Network besides the compiled model.
struct Signature {
  struct Input {
    core::TensorType type;
    bool host = false;
  };
  struct Output {
    core::TensorType type;
    /// Dims follow from the inputs' dims and host values alone, so equal ones give equal dims.
    bool predictable = true;
  };
  std::vector<Input> inputs;
  std::vector<Output> outputs;
  std::vector<std::string>
      assertions;  ///< messages, in the order of the results behind the outputs
};

Signature signature_of(const core::Network& network);

std::unique_ptr<core::Executable> make_executable(ov::CompiledModel model, Signature signature);

}  // namespace torch_tensorrt::engines::openvino
