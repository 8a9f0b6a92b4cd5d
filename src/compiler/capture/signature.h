#pragma once

#include <string>
#include <vector>

#include "compiler/capture/torchscript.h"
#include "compiler/driver.h"
#include "compiler/lowering/facts.h"

namespace torch_tensorrt::compiler {

struct Probes {
  std::vector<Probe> probes;
  /// The first so many are min, opt and max (one where all inputs are static); the rest are sizes between.
  std::size_t required = 1;
};

/// Meta tensors for the method's arguments at min, opt, max and some sizes between. Throws Error(invalid_argument) naming
/// the argument where the signature does not fit the method.
TORCHTRT_API Probes make_probes(const Captured& captured, const Signature& signature, const std::string& method);

}  // namespace torch_tensorrt::compiler
