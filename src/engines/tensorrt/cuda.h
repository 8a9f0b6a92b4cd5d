#pragma once

// The few functions of CUDA's driver that running an engine needs. The driver's library is opened
// at run time: machines without an NVIDIA GPU have none.

#include <cstddef>
#include <memory>
#include <string>

namespace torch_tensorrt::engines::tensorrt {

/// All functions throw core::Error with the driver's words. Streams are cudaStream_t; those that
/// take one act on the current device, which is the stream's.
class Cuda {
 public:
  /// Null, with the reason, where there is no driver or no GPU.
  static const Cuda* driver(std::string* reason = nullptr);

  virtual ~Cuda() = default;
  virtual int device_count() const = 0;
  /// "sm_90"
  virtual std::string architecture(int device) const = 0;
  /// Makes the device current for this thread until the result is destroyed.
  virtual std::shared_ptr<void> use(int device) const = 0;

  /// Null where the device has none left.
  virtual void* allocate(std::size_t bytes) const = 0;
  virtual void free(void* memory) const noexcept = 0;
  /// Between any memory of the device and the host.
  virtual void copy(void* to, const void* from, std::size_t bytes, void* stream) const = 0;

  virtual void* create_stream() const = 0;
  virtual void destroy_stream(void* stream) const noexcept = 0;
  virtual void synchronize(void* stream) const = 0;
  virtual void* create_event() const = 0;
  virtual void destroy_event(void* event) const noexcept = 0;
  virtual void record(void* event, void* stream) const = 0;
  /// What is put on the stream from now on starts after the event.
  virtual void wait(void* stream, void* event) const = 0;

  /// Whether somebody is recording what is put on the stream.
  virtual bool is_capturing(void* stream) const = 0;
  virtual void begin_capture(void* stream) const = 0;
  /// What was put on the stream since, to be launched any number of times. Null where something
  /// could not be recorded.
  virtual void* end_capture(void* stream) const = 0;
  virtual void launch(void* graph, void* stream) const = 0;
  virtual void destroy_graph(void* graph) const noexcept = 0;
};

}  // namespace torch_tensorrt::engines::tensorrt
