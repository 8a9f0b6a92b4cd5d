#pragma once

// A vendor's library reached in another language than C++, or through headers that are not always
// there: what an engine plugin needs of it. The Python package gives one for NVIDIA's Python
// modules.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/blob.h"
#include "core/dtype.h"
#include "core/engine.h"
#include "core/export.h"

namespace torch_tensorrt::core {

/// An input or output of a loaded engine.
struct ForeignTensor {
  std::string name;
  DType dtype = DType::f32;
  bool is_input = false;
  bool host = false;  ///< its elements are read, or written, on the host
};

/// Memory for a result whose size depends on data.
struct ForeignAllocator {
  /// At least that many bytes, on the device; null where it has none left.
  std::function<void*(std::size_t bytes)> allocate;
  /// The result's sizes; called before enqueue() returns.
  std::function<void(std::span<const std::int64_t> dims)> set_dims;
};

/// One execution at a time, by the names of the tensors. All functions throw Error.
class ForeignContext {
 public:
  virtual ~ForeignContext() = default;
  virtual void set_input_shape(const std::string& name, std::span<const std::int64_t> dims) = 0;
  virtual void set_address(const std::string& name, void* data) = 0;
  /// Of an output, once all inputs have their shapes; -1 where it depends on data.
  virtual std::vector<std::int64_t> shape(const std::string& name) = 0;
  virtual void set_allocator(const std::string& name, ForeignAllocator allocator) = 0;
  /// On a cudaStream_t.
  virtual void enqueue(void* stream) = 0;
};

/// A plan on the present GPU.
class ForeignEngine : public WeightStreaming {
 public:
  virtual ~ForeignEngine() = default;
  /// Inputs and outputs, each in the order in which the network has them.
  virtual std::vector<ForeignTensor> tensors() const = 0;
  /// May be called from several threads.
  virtual std::unique_ptr<ForeignContext> create_context() const = 0;
};

/// All functions may be called from any thread; `engine` is the plugin's name.
class ForeignLibrary {
 public:
  virtual ~ForeignLibrary() = default;
  /// The library's version; empty, with the reason, where there is none.
  virtual std::string version(std::string_view engine, std::string& reason) const = 0;
  /// The serialized engine. `program` is the plugin's own text.
  virtual Blob build(std::string_view engine, const std::string& program,
                     std::span<const Blob> weights) const = 0;
  virtual std::unique_ptr<ForeignEngine> load(std::string_view engine, const Blob& plan) const = 0;
};

TORCHTRT_API void set_foreign_library(std::shared_ptr<const ForeignLibrary> library);
/// Null outside of Python.
TORCHTRT_API std::shared_ptr<const ForeignLibrary> foreign_library();

}  // namespace torch_tensorrt::core
