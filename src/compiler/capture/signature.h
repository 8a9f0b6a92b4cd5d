#pragma once

#include <string>
#include <vector>

#include "compiler/capture/torchscript.h"
#include "compiler/driver.h"
#include "compiler/probe.h"

namespace torch_tensorrt::compiler {

struct Probes {
  std::vector<Probe> probes;
  /// The first so many are min, opt and max (one where all inputs are static); the rest are sizes
  /// between.
  std::size_t required = 1;
  /// Graph inputs that the signature leaves at their defaults.
  std::vector<std::size_t> defaulted;
};

/// Meta tensors for the method's arguments at min, opt, max and some sizes between. Throws
/// Error(invalid_argument) naming the argument where the signature does not fit the method.
TORCHTRT_API Probes make_probes(const Captured& captured, const Signature& signature,
                                const std::string& method);

/// Makes the method refuse, at run time, a value other than the default for the arguments that it
/// was compiled without.
TORCHTRT_API void check_defaults(const Captured& captured, const Probes& probes,
                                 const std::string& method);

}  // namespace torch_tensorrt::compiler
