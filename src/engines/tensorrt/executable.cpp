#include "engines/tensorrt/executable.h"

#include <algorithm>
#include <atomic>
#include <functional>
#include <list>
#include <utility>

#include "core/error.h"
#include "core/log.h"
#include "core/text.h"

namespace torch_tensorrt::engines::tensorrt {

using core::Buffer;
using core::ForeignContext;
using core::ForeignTensor;
using core::OutputSink;
using Dims = std::vector<std::int64_t>;

namespace {

struct Signature {
  std::vector<ForeignTensor> inputs, outputs;
};

/// What the contexts of one engine share.
struct Shared {
  Shared(std::unique_ptr<core::ForeignEngine> loaded, const Cuda& driver, int index)
      : engine(std::move(loaded)), cuda(driver), device(index) {}

  std::unique_ptr<core::ForeignEngine> engine;
  const Cuda& cuda;
  int device;
  Signature signature;
  mutable std::atomic<bool> told_of_graphs{false};
};

bool depends_on_data(const Dims& dims) {
  return std::ranges::any_of(dims, [](std::int64_t dim) { return dim < 0; });
}

std::size_t bytes_of(core::DType dtype, std::span<const std::int64_t> dims) {
  std::int64_t count = 1;
  for (const std::int64_t dim : dims) count *= dim;
  return static_cast<std::size_t>(core::byte_size(dtype, count));
}

/// Memory on the device, freed with its owner.
class DeviceMemory {
 public:
  DeviceMemory(const Cuda& cuda, std::size_t bytes)
      // TensorRT refuses null, for empty tensors too.
      : cuda_(&cuda), size_(std::max<std::size_t>(bytes, 1)), data_(cuda.allocate(size_)) {
    if (!data_) throw core::unavailable("[engine] the GPU has no ", bytes, " bytes left");
  }
  ~DeviceMemory() {
    if (data_) cuda_->free(data_);
  }
  DeviceMemory(DeviceMemory&& other) noexcept
      : cuda_(other.cuda_), size_(other.size_), data_(std::exchange(other.data_, nullptr)) {}
  DeviceMemory& operator=(DeviceMemory&& other) noexcept {
    std::swap(cuda_, other.cuda_);
    std::swap(size_, other.size_);
    std::swap(data_, other.data_);
    return *this;
  }

  void* data() const { return data_; }
  std::size_t size() const { return size_; }

 private:
  const Cuda* cuda_;
  std::size_t size_;
  void* data_;
};

/// A result of which the size is known only when the engine has run.
struct Surprise {
  std::size_t output = 0;
  std::unique_ptr<DeviceMemory> memory;
  Dims dims;
};

void give_inputs(ForeignContext& context, const Signature& signature,
                 std::span<const Buffer> inputs) {
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    context.set_input_shape(signature.inputs[i].name, inputs[i].dims);
    context.set_address(signature.inputs[i].name, inputs[i].data);
  }
}

/// A call recorded for one set of shapes, with the memory that it reads and writes.
class Recording {
 public:
  /// Runs the call once, for its results, and records it.
  Recording(const Shared& shared, std::vector<std::int64_t> key, std::span<const Buffer> inputs)
      : shared_(shared), key_(std::move(key)), context_(shared.engine->create_context()) {
    const Signature& signature = shared_.signature;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const ForeignTensor& input = signature.inputs[i];
      context_->set_input_shape(input.name, inputs[i].dims);
      const std::size_t bytes = bytes_of(input.dtype, inputs[i].dims);
      if (input.host) {
        const auto* data = static_cast<const std::byte*>(inputs[i].data);
        host_.emplace_back(data, data + bytes);
        context_->set_address(input.name, host_.back().data());
        continue;
      }
      inputs_.push_back({i, bytes, DeviceMemory(shared_.cuda, bytes)});
      context_->set_address(input.name, inputs_.back().memory.data());
    }
    for (std::size_t i = 0; i < signature.outputs.size(); ++i) {
      const ForeignTensor& output = signature.outputs[i];
      dims_.push_back(context_->shape(output.name));
      if (output.host || depends_on_data(dims_.back())) return;
      const std::size_t bytes = bytes_of(output.dtype, dims_.back());
      outputs_.push_back({i, bytes, DeviceMemory(shared_.cuda, bytes)});
      context_->set_address(output.name, outputs_.back().memory.data());
    }
    is_possible_ = true;
  }
  ~Recording() {
    if (graph_) shared_.cuda.destroy_graph(graph_);
  }
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;

  const std::vector<std::int64_t>& key() const { return key_; }
  /// False where a result is on the host or its size depends on data, or the engine does what
  /// cannot be recorded.
  bool is_possible() const { return is_possible_; }

  /// `own` is a stream that nobody else uses.
  void run(std::span<const Buffer> inputs, OutputSink& sink, void* stream, void* own,
           const std::function<void()>& on_own_stream) {
    for (const Staged& input : inputs_)
      shared_.cuda.copy(input.memory.data(), inputs[input.index].data, input.bytes, stream);
    if (graph_) {
      shared_.cuda.launch(graph_, stream);
    } else {
      // TensorRT prepares itself in the first call, which cannot be recorded.
      on_own_stream();
      shared_.cuda.begin_capture(own);
      try {
        context_->enqueue(own);
      } catch (const core::Error&) {
        // Ends the recording whatever came of it.
        if (void* graph = shared_.cuda.end_capture(own)) shared_.cuda.destroy_graph(graph);
        is_possible_ = false;
      }
      if (is_possible_) graph_ = shared_.cuda.end_capture(own);
      is_possible_ = graph_ != nullptr;
    }
    for (const Staged& output : outputs_) {
      const core::DType dtype = shared_.signature.outputs[output.index].dtype;
      void* data = sink.allocate(output.index, dtype, dims_[output.index]);
      shared_.cuda.copy(data, output.memory.data(), output.bytes, stream);
    }
  }

  ForeignContext& context() { return *context_; }

 private:
  struct Staged {
    std::size_t index, bytes;
    DeviceMemory memory;
  };

  const Shared& shared_;
  std::vector<std::int64_t> key_;
  // TensorRT keeps sizes in a context's own memory: another shape would spoil the recording.
  std::unique_ptr<ForeignContext> context_;
  std::vector<Staged> inputs_, outputs_;
  std::vector<std::vector<std::byte>> host_;
  std::vector<Dims> dims_;
  void* graph_ = nullptr;
  bool is_possible_ = false;
};

class TensorRtContext final : public core::Context {
 public:
  explicit TensorRtContext(std::shared_ptr<const Shared> shared) : shared_(std::move(shared)) {
    const auto current = cuda().use(shared_->device);
    context_ = shared_->engine->create_context();
    stream_ = cuda().create_stream();
    started_ = cuda().create_event();
    done_ = cuda().create_event();
  }
  ~TensorRtContext() override {
    try {
      const auto current = cuda().use(shared_->device);
      // What was enqueued still uses this context's memory.
      cuda().wait(stream_, done_);
      cuda().synchronize(stream_);
      recordings_.clear();
      context_.reset();
      cuda().destroy_event(done_);
      cuda().destroy_event(started_);
      cuda().destroy_stream(stream_);
    } catch (const core::Error&) {
      // The driver is gone at the process's end, and the memory with it.
    }
  }

  void run(std::span<const Buffer> inputs, OutputSink& outputs,
           const core::Launch& launch) override {
    const bool is_recorded = cuda().is_capturing(launch.stream);
    // An event from outside cannot be waited for in a recording; the caller waits for it.
    if (!is_recorded) cuda().wait(launch.stream, done_);
    if (!launch.cuda_graph || is_recorded || !run_recorded(inputs, outputs, launch.stream))
      run_plainly(inputs, outputs, launch.stream, is_recorded);
    if (!is_recorded) cuda().record(done_, launch.stream);
  }

 private:
  const Cuda& cuda() const { return shared_->cuda; }
  const Signature& signature() const { return shared_->signature; }

  /// Enqueues behind what is on the caller's stream, and what comes there behind it. TensorRT
  /// synchronizes on CUDA's default stream, so there another one is used.
  void enqueue(ForeignContext& context, void* caller) {
    if (caller != nullptr) return context.enqueue(caller);
    on_own_stream(context, caller);
  }
  void on_own_stream(ForeignContext& context, void* caller) {
    cuda().record(started_, caller);
    cuda().wait(stream_, started_);
    context.enqueue(stream_);
    cuda().record(done_, stream_);
    cuda().wait(caller, done_);
  }

  void run_plainly(std::span<const Buffer> inputs, OutputSink& sink, void* stream,
                   bool is_recorded) {
    give_inputs(*context_, signature(), inputs);
    std::list<Surprise> surprises;
    bool has_host_output = false;
    for (std::size_t i = 0; i < signature().outputs.size(); ++i) {
      const ForeignTensor& output = signature().outputs[i];
      const Dims dims = context_->shape(output.name);
      has_host_output |= output.host;
      if (!depends_on_data(dims)) {
        context_->set_address(output.name, sink.allocate(i, output.dtype, dims));
        continue;
      }
      Surprise& surprise = surprises.emplace_back();
      surprise.output = i;
      context_->set_allocator(output.name, {[this, &surprise](std::size_t bytes) -> void* {
                                              // Called by TensorRT, which lets no exception
                                              // through.
                                              try {
                                                surprise.memory =
                                                    std::make_unique<DeviceMemory>(cuda(), bytes);
                                              } catch (const core::Error&) {
                                                return nullptr;
                                              }
                                              return surprise.memory->data();
                                            },
                                            [&surprise](std::span<const std::int64_t> dims) {
                                              surprise.dims.assign(dims.begin(), dims.end());
                                            }});
    }
    is_recorded ? context_->enqueue(stream) : enqueue(*context_, stream);
    for (Surprise& surprise : surprises) {
      const core::DType dtype = signature().outputs[surprise.output].dtype;
      void* data = sink.allocate(surprise.output, dtype, surprise.dims);
      const std::size_t bytes = bytes_of(dtype, surprise.dims);
      if (surprise.memory) cuda().copy(data, surprise.memory->data(), bytes, stream);
    }
    if ((has_host_output || !surprises.empty()) && !is_recorded) cuda().synchronize(stream);
  }

  /// False where the call cannot be recorded: nothing was done.
  bool run_recorded(std::span<const Buffer> inputs, OutputSink& sink, void* stream) {
    if (!can_record_) return false;
    const auto key = key_of(inputs);
    auto found = std::ranges::find(recordings_, key, &Recording::key);
    if (found == recordings_.end()) {
      if (recordings_.size() >= kMaxGraphs) {
        cuda().synchronize(stream);
        recordings_.pop_back();
      }
      found = recordings_.emplace(recordings_.begin(), *shared_, key, inputs);
    }
    recordings_.splice(recordings_.begin(), recordings_, found);
    Recording& recording = recordings_.front();
    const bool is_possible = recording.is_possible();
    if (is_possible) {
      recording.run(inputs, sink, stream, stream_,
                    [&] { on_own_stream(recording.context(), stream); });
    }
    if (!recording.is_possible()) {
      can_record_ = false;
      if (is_possible) cuda().synchronize(stream);
      recordings_.clear();
      if (!shared_->told_of_graphs.exchange(true)) {
        core::log_warning("[runtime] no CUDA graph can be recorded of an engine: ",
                          is_possible ? "it does on the GPU what cannot be recorded"
                                      : "a result is on the host, or its size depends on data");
      }
    }
    return is_possible;
  }

  /// What a recording is made for: the sizes of the inputs and the elements of those on the host.
  std::vector<std::int64_t> key_of(std::span<const Buffer> inputs) const {
    std::vector<std::int64_t> key;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const Buffer& input = inputs[i];
      key.push_back(static_cast<std::int64_t>(input.dims.size()));
      key.insert(key.end(), input.dims.begin(), input.dims.end());
      if (!signature().inputs[i].host) continue;
      const auto* data = static_cast<const std::byte*>(input.data);
      for (std::size_t byte = 0; byte < bytes_of(input.dtype, input.dims); ++byte)
        key.push_back(static_cast<std::int64_t>(data[byte]));
    }
    return key;
  }

  std::shared_ptr<const Shared> shared_;
  std::unique_ptr<ForeignContext> context_;
  /// Of this context alone; `done_` is where its memory is free again.
  void *stream_ = nullptr, *started_ = nullptr, *done_ = nullptr;
  std::list<Recording> recordings_;  ///< last used first
  bool can_record_ = true;
};

class TensorRtExecutable final : public core::Executable {
 public:
  explicit TensorRtExecutable(std::shared_ptr<Shared> shared) : shared_(std::move(shared)) {}

  std::unique_ptr<core::Context> create_context() const override {
    return std::make_unique<TensorRtContext>(shared_);
  }
  core::WeightStreaming* weight_streaming() override {
    return shared_->engine->streamable_bytes() > 0 ? shared_->engine.get() : nullptr;
  }

 private:
  std::shared_ptr<Shared> shared_;
};

}  // namespace

std::unique_ptr<core::Executable> make_executable(std::unique_ptr<core::ForeignEngine> engine,
                                                  const Cuda& cuda, int device) {
  auto shared = std::make_shared<Shared>(std::move(engine), cuda, device);
  for (ForeignTensor& tensor : shared->engine->tensors()) {
    auto& side = tensor.is_input ? shared->signature.inputs : shared->signature.outputs;
    side.push_back(std::move(tensor));
  }
  return std::make_unique<TensorRtExecutable>(std::move(shared));
}

}  // namespace torch_tensorrt::engines::tensorrt
