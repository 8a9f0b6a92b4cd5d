#pragma once

// TensorRT's library through its C++ interface, opened when it is first needed. This header needs
// none of NVIDIA's.

#include <memory>
#include <string>

#include "core/blob.h"
#include "core/engine.h"
#include "core/foreign.h"
#include "engines/tensorrt/script.h"

namespace torch_tensorrt::engines::tensorrt {

class NativeLibrary {
 public:
  virtual ~NativeLibrary() = default;
  virtual std::string version() const = 0;
  /// The engine that TensorRT makes of the script, serialized. Throws core::Error with what
  /// TensorRT says about the network.
  virtual core::Blob build(const Script& script, const core::BuildOptions& options) const = 0;
  virtual std::unique_ptr<core::ForeignEngine> load(const core::Blob& plan) const = 0;
};

/// Null, and the reason in the log, where the loader finds none of a version that these headers
/// describe.
const NativeLibrary* native_library();

}  // namespace torch_tensorrt::engines::tensorrt
