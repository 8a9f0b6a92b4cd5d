#include "runtime/engine.h"

#include <ATen/EmptyTensor.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <c10/core/DeviceGuard.h>
#include <c10/core/GradMode.h>
#include <c10/core/InferenceMode.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <c10/util/SmallVector.h>
#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <map>
#include <numeric>
#include <optional>
#include <utility>

#include "core/error.h"
#include "core/text.h"
#include "runtime/load.h"
#include "runtime/openmp.h"
#include "runtime/shapes.h"
#include "runtime/types.h"

namespace torch_tensorrt::runtime {
namespace {

/// Counts the forks between the process that loaded the library and this one.
std::atomic<unsigned> generation{0};
const int fork_handler [[maybe_unused]] = pthread_atfork(nullptr, nullptr, [] { ++generation; });

/// What an empty tensor's data points to: engines refuse null.
alignas(64) std::byte nothing[64];

std::string show_sizes(at::IntArrayRef sizes) { return core::text('[', core::join(sizes), ']'); }

/// The elements of a host input.
std::vector<std::int64_t> numbers_of(const at::Tensor& tensor) {
  const at::Tensor host = tensor.to(at::kCPU).contiguous();
  const auto* data = host.const_data_ptr<std::int64_t>();
  return {data, data + host.numel()};
}

at::Tensor empty_tensor(at::ScalarType dtype, at::IntArrayRef sizes, at::Device device) {
  if (device.is_cpu()) return at::Tensor(at::detail::empty_cpu(sizes, dtype));
  return at::empty(sizes, at::TensorOptions(dtype).device(device));
}

}  // namespace

/// An input or output as the checks need it.
struct Engine::Port {
  std::string name;
  at::ScalarType dtype;
  core::Dims dims;
  bool host = false;
  core::Dims content;  ///< the ranges of a host input's numbers; empty: any

  explicit Port(const core::IoEntry& entry)
      : name(entry.name),
        dtype(scalar_type(entry.type.dtype)),
        dims(entry.type.dims),
        host(entry.host) {}

  bool takes(at::IntArrayRef sizes) const {
    if (sizes.size() != dims.size()) return false;
    for (std::size_t i = 0; i < dims.size(); ++i) {
      if (sizes[i] < dims[i].min || sizes[i] > dims[i].max) return false;
    }
    return true;
  }

  bool takes_content(const at::Tensor& tensor) const {
    if (content.empty() || tensor.is_meta()) return true;
    return std::ranges::equal(content, numbers_of(tensor),
                              [](const core::Extent& extent, std::int64_t number) {
                                return extent.min <= number && number <= extent.max;
                              });
  }
};

/// Execution contexts that are not in use. The lock is held to take or return one, never while one
/// runs.
struct Engine::Pool {
  std::mutex mutex;
  std::shared_ptr<core::Executable> executable;  ///< null: not loaded, or not since it failed
  std::vector<std::unique_ptr<core::Context>> idle;
  std::size_t created = 0, running = 0;
  /// Made ahead of the call that needs them, on that stream.
  std::vector<at::Tensor> next_outputs;
  void* next_stream = nullptr;
};

/// A context of the pool, for one call.
class Engine::Lease {
 public:
  explicit Lease(Engine& engine) : pool_(*engine.pool_) {
    {
      const std::lock_guard lock(pool_.mutex);
      if (!pool_.executable) pool_.executable = engine.loaded_again();
      executable_ = pool_.executable;
      if (!pool_.idle.empty()) {
        context_ = std::move(pool_.idle.back());
        pool_.idle.pop_back();
      }
    }
    const bool is_new = !context_;
    if (is_new) context_ = executable_->create_context();
    const std::lock_guard lock(pool_.mutex);
    // So that giving it back needs no memory.
    if (is_new) pool_.idle.reserve(++pool_.created);
    ++pool_.running;
  }
  /// A context that threw is not given back: its state is unknown.
  ~Lease() {
    if (exceptions_ < std::uncaught_exceptions()) context_.reset();
    const std::lock_guard lock(pool_.mutex);
    --pool_.running;
    if (context_ && executable_ == pool_.executable) pool_.idle.push_back(std::move(context_));
  }
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;
  void run(std::span<const core::Buffer> inputs, core::OutputSink& sink,
           const core::Launch& launch) {
    try {
      context_->run(inputs, sink, launch);
    } catch (const core::Error& error) {
      if (error.kind() == core::ErrorKind::engine_failed) forget_executable();
      throw;
    }
  }

 private:
  void forget_executable() {
    const std::lock_guard lock(pool_.mutex);
    if (pool_.executable != executable_) return;
    pool_.idle.clear();
    pool_.executable.reset();
  }

  Pool& pool_;
  std::shared_ptr<core::Executable> executable_;  ///< outlives the context
  std::unique_ptr<core::Context> context_;
  int exceptions_ = std::uncaught_exceptions();
};

/// Output sizes by input sizes, for the meta kernel; tracers ask for the same shapes again and
/// again.
class Engine::ShapeCache {
 public:
  using Shapes = std::vector<std::vector<std::int64_t>>;

  template <typename Infer>
  Shapes get(const std::vector<std::int64_t>& key, Infer infer) {
    {
      const std::lock_guard lock(mutex_);
      if (const auto found = shapes_.find(key); found != shapes_.end()) return found->second;
    }
    Shapes shapes = infer();
    const std::lock_guard lock(mutex_);
    if (shapes_.size() >= kCapacity) shapes_.clear();
    return shapes_.emplace(key, std::move(shapes)).first->second;
  }

 private:
  static constexpr std::size_t kCapacity = 256;
  std::mutex mutex_;
  std::map<std::vector<std::int64_t>, Shapes> shapes_;
};

namespace {

/// Gives the engine new tensors to write to.
class TensorSink final : public core::OutputSink {
 public:
  TensorSink(std::size_t count, at::Device device) : outputs_(count), device_(device) {}

  void set_host(std::size_t index) { host_.push_back(index); }
  /// Tensors to use where their types are the outputs'.
  void offer(std::vector<at::Tensor> spare) { spare_ = std::move(spare); }

  void* allocate(std::size_t index, core::DType dtype,
                 std::span<const std::int64_t> dims) override {
    at::Tensor& output = outputs_.at(index);
    if (index < spare_.size() && spare_[index].scalar_type() == scalar_type(dtype) &&
        std::ranges::equal(spare_[index].sizes(), dims)) {
      output = std::move(spare_[index]);
      return output.numel() > 0 ? output.mutable_data_ptr() : nothing;
    }
    const bool host = std::find(host_.begin(), host_.end(), index) != host_.end();
    std::optional<c10::InferenceMode> mode;
    if (c10::InferenceMode::is_enabled() != inference_mode_) mode.emplace(inference_mode_);
    output = empty_tensor(scalar_type(dtype), {dims.data(), dims.size()},
                          host ? at::Device(at::kCPU) : device_);
    void* data = output.mutable_data_ptr();
    return data ? data : nothing;
  }

  std::vector<at::Tensor> take(const std::string& engine) {
    for (std::size_t i = 0; i < outputs_.size(); ++i) {
      if (!outputs_[i].defined()) {
        throw core::internal_error("[runtime] engine ", engine, " did not write its output ", i);
      }
    }
    return std::move(outputs_);
  }

 private:
  std::vector<at::Tensor> outputs_, spare_;
  c10::SmallVector<std::size_t, 2> host_;
  at::Device device_;
  /// The caller's mode, whatever the engine computes in: PyTorch forbids writes to tensors that
  /// were made in inference mode.
  bool inference_mode_ = c10::InferenceMode::is_enabled();
};

}  // namespace

namespace {
std::atomic<bool> uses_cuda_graphs{false}, moves_inputs{false};
}

void set_cuda_graphs(bool on) { uses_cuda_graphs = on; }
bool cuda_graphs() { return uses_cuda_graphs; }
void set_multi_device_safe_mode(bool on) { moves_inputs = on; }
bool multi_device_safe_mode() { return moves_inputs; }

int& WithoutLoading::depth() {
  thread_local int value = 0;
  return value;
}

Engine::Engine(core::Artifact artifact, LoadOptions options)
    : artifact_(std::move(artifact)),
      options_(std::move(options)),
      device_(device_of(options_.build.device)),
      process_(generation),
      pool_(std::make_shared<Pool>()),
      shapes_(std::make_unique<ShapeCache>()) {
  for (const core::IoEntry& entry : artifact_.inputs) inputs_.emplace_back(entry);
  for (const core::IoEntry& entry : artifact_.outputs) outputs_.emplace_back(entry);
  for (std::size_t i = 0; artifact_.network && i < inputs_.size(); ++i) {
    const core::Node& node = artifact_.network->producer(artifact_.network->inputs().at(i));
    inputs_[i].content = std::get<core::Input>(node.layer).content;
  }
  if (WithoutLoading::active()) return;
  Loaded loaded = load(artifact_, options_);
  plugin_name_ = std::move(loaded.plugin);
  pool_->executable = std::move(loaded.executable);
  // The reference engine runs on PyTorch's own threads.
  if (artifact_.alternates && device_.is_cpu() && plugin_name_ != "reference") calm_openmp();
  // The first context now, so that the first call is not the slow one.
  const Lease first(*this);
}

/// By the same plugin, after a call that failed.
std::unique_ptr<core::Executable> Engine::loaded_again() const {
  LoadOptions options = options_;
  options.engine = plugin_name_;
  return load(artifact_, options).executable;
}

Engine::~Engine() {
  if (process_ == generation) {
    pool_.reset();
    return;
  }
  // In a forked child the engine's threads do not exist, and waiting for them to end would never
  // end.
  for (auto& context : pool_->idle) (void)context.release();
  new std::shared_ptr(std::move(pool_->executable));
}

c10::intrusive_ptr<Engine> Engine::from_bytes(const at::Tensor& bytes) {
  if (bytes.scalar_type() != at::kByte || bytes.dim() != 1) {
    throw core::invalid_argument(
        "[runtime] an engine is made from a uint8 tensor of one dimension, got ",
        python_name(bytes.scalar_type()), show_sizes(bytes.sizes()));
  }
  // A module loaded with map_location has its bytes on another device.
  const at::Tensor dense = bytes.to(at::kCPU).contiguous();
  const core::Blob blob(std::make_shared<at::Tensor>(dense), dense.const_data_ptr(),
                        static_cast<std::size_t>(dense.numel()));
  core::Artifact artifact = core::Artifact::from_bytes(blob);
  const core::EngineDevice device = device_for(artifact, bytes.device());
  auto engine = c10::make_intrusive<Engine>(std::move(artifact), default_load_options(device));
  engine->bytes_ = dense;
  return engine;
}

at::Tensor Engine::to_bytes() const {
  if (bytes_.defined()) return bytes_;
  auto bytes = std::make_unique<std::vector<std::byte>>(artifact_.to_bytes());
  void* data = bytes->data();
  const auto size = static_cast<std::int64_t>(bytes->size());
  return at::from_blob(
      data, {size}, [owner = std::shared_ptr(std::move(bytes))](void*) {}, at::kByte);
}

std::vector<std::pair<core::ValueId, const void*>> Engine::weights() const {
  std::vector<std::pair<core::ValueId, const void*>> weights;
  if (!artifact_.network) return weights;
  for (const core::Node& node : artifact_.network->nodes()) {
    if (const auto* constant = std::get_if<core::Constant>(&node.layer))
      weights.emplace_back(node.outputs.front(), constant->value.bytes.data());
  }
  return weights;
}

c10::intrusive_ptr<Engine> Engine::with_weights(
    const std::vector<std::pair<core::ValueId, at::Tensor>>& weights) const {
  if (!artifact_.network) {
    throw core::unsupported("[runtime] engine ", artifact_.name,
                            " has no Network to give new weights to: it was compiled with "
                            "portable=False");
  }
  core::Artifact artifact = artifact_;
  for (const auto& [value, tensor] : weights) {
    const core::Tensor* old = artifact.network->constant(value);
    if (old == nullptr)
      throw core::invalid_argument("[runtime] engine ", artifact_.name, ": no weight ", value);
    const at::Tensor data =
        tensor.detach().to(at::TensorOptions(at::kCPU).dtype(scalar_type(old->dtype))).contiguous();
    // A constant is often the weight with dimensions of 1 in front.
    const std::int64_t count =
        std::accumulate(old->dims.begin(), old->dims.end(), std::int64_t{1}, std::multiplies<>());
    const core::Ints dims = data.numel() == count ? old->dims : data.sizes().vec();
    const core::Blob bytes(std::make_shared<const at::Tensor>(data), data.const_data_ptr(),
                           data.nbytes());
    artifact.network->set_constant(value, {old->dtype, dims, bytes});
  }
  artifact.plans = {core::engine_plugin(plugin_name_).build(*artifact.network, options_.build)};
  return c10::make_intrusive<Engine>(std::move(artifact), options_);
}

std::string Engine::where(std::size_t input) const {
  return core::text("[runtime] engine ", artifact_.name, ": input ", input, " (",
                    inputs_[input].name, ')');
}

bool Engine::accepts(std::size_t index, const at::Tensor& tensor) const {
  const Port& port = inputs_[index];
  if (!tensor.defined() || tensor.scalar_type() != port.dtype || tensor.layout() != at::kStrided) {
    return false;
  }
  const bool there =
      port.host || tensor.device() == device_ || tensor.is_meta() || multi_device_safe_mode();
  return there && port.takes(tensor.sizes()) && port.takes_content(tensor);
}

/// Says why accepts() said no.
void Engine::refuse(std::size_t index, const at::Tensor& tensor) const {
  const Port& port = inputs_[index];
  if (!tensor.defined()) throw core::invalid_argument(where(index), " is an undefined tensor");
  if (tensor.scalar_type() != port.dtype) {
    throw core::invalid_argument(where(index), " has dtype ", python_name(tensor.scalar_type()),
                                 ", expected ", python_name(port.dtype));
  }
  if (tensor.layout() != at::kStrided) {
    throw core::invalid_argument(where(index), " is a sparse tensor, expected a dense one");
  }
  if (!port.takes(tensor.sizes())) {
    throw core::invalid_argument(where(index), " has shape ", show_sizes(tensor.sizes()),
                                 ", expected ", core::to_text(artifact_.inputs[index].type),
                                 " (min..opt..max where a dimension is dynamic)");
  }
  if (!port.takes_content(tensor)) {
    throw core::invalid_argument(where(index), " is ", show_sizes(numbers_of(tensor)),
                                 ", expected numbers within ",
                                 core::to_text(core::TensorType{core::DType::i64, port.content}));
  }
  throw core::invalid_argument(where(index), " is on ", tensor.device().str(), ", expected ",
                               device_.str(),
                               "; load the module with map_location to run it elsewhere, or move "
                               "inputs with set_multi_device_safe_mode(True)");
}

void Engine::check_inputs(const std::vector<at::Tensor>& inputs) const {
  if (inputs.size() != inputs_.size()) {
    throw core::invalid_argument("[runtime] engine ", artifact_.name, ": got ", inputs.size(),
                                 " inputs, expected ", inputs_.size());
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (!accepts(i, inputs[i])) refuse(i, inputs[i]);
  }
}

bool Engine::accepts(const std::vector<at::Tensor>& inputs) const {
  if (inputs.size() != inputs_.size()) return false;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (!accepts(i, inputs[i])) return false;
  }
  return true;
}

/// The tensor on the device where the engine reads it, dense and row-major; mostly the tensor
/// itself.
at::Tensor Engine::prepared(std::size_t index, const at::Tensor& tensor) const {
  const at::Device device = inputs_[index].host ? at::Device(at::kCPU) : device_;
  const bool there = tensor.device() == device;
  if (there && tensor.is_contiguous() && !tensor.is_neg()) return tensor;
  if (tensor.is_meta()) refuse(index, tensor);
  const at::NoGradGuard no_grad;
  return tensor.to(device).resolve_neg().contiguous();
}

std::vector<at::Tensor> Engine::execute(const std::vector<at::Tensor>& inputs) {
  if (process_ != generation.load(std::memory_order_relaxed)) {
    throw core::incompatible(
        "[runtime] engine ", artifact_.name,
        " was loaded before this process was forked, and an engine's threads do not survive a "
        "fork; load the module in the child, or start processes with 'spawn'");
  }
  if (plugin_name_.empty()) {
    throw core::incompatible("[runtime] engine ", artifact_.name,
                             " was read without being loaded, so it cannot run");
  }
  check_inputs(inputs);
  c10::SmallVector<at::Tensor, 8> tensors;
  c10::SmallVector<core::Buffer, 8> buffers;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const at::Tensor& tensor = tensors.emplace_back(prepared(i, inputs[i]));
    void* data = const_cast<void*>(tensor.const_data_ptr());
    buffers.push_back({artifact_.inputs[i].type.dtype,
                       {tensor.sizes().data(), tensor.sizes().size()},
                       tensor.numel() > 0 ? data : nothing});
  }

  TensorSink sink(outputs_.size(), device_);
  for (std::size_t i = 0; i < outputs_.size(); ++i) {
    if (outputs_[i].host) sink.set_host(i);
  }
  void* stream = nullptr;
  c10::OptionalDeviceGuard device_guard;
  if (!device_.is_cpu()) {
    device_guard.reset_device(device_);
    stream = c10::impl::VirtualGuardImpl(device_.type()).getStream(device_).native_handle();
  }
  const bool pre_allocates = !device_.is_cpu() && pre_allocates_;
  if (pre_allocates) {
    const std::lock_guard lock(pool_->mutex);
    if (pool_->next_stream == stream) sink.offer(std::exchange(pool_->next_outputs, {}));
  }
  {
    Lease context(*this);
    context.run({buffers.data(), buffers.size()}, sink, {stream, cuda_graphs()});
  }
  std::vector<at::Tensor> outputs = sink.take(artifact_.name);
  if (pre_allocates) {
    std::vector<at::Tensor> next;
    for (const at::Tensor& output : outputs)
      next.push_back(at::empty(output.sizes(), output.options()));
    const std::lock_guard lock(pool_->mutex);
    pool_->next_outputs = std::move(next);
    pool_->next_stream = stream;
  }
  return outputs;
}

void Engine::set_pre_allocated_outputs(bool on) {
  pre_allocates_ = on;
  const std::lock_guard lock(pool_->mutex);
  pool_->next_outputs.clear();
}

std::shared_ptr<core::WeightStreaming> Engine::weight_streaming() const {
  const std::lock_guard lock(pool_->mutex);
  // With the executable's owner: a failed call may replace it at any time.
  const auto& executable = pool_->executable;
  return {executable, executable ? executable->weight_streaming() : nullptr};
}

std::int64_t Engine::streamable_weights() const {
  const auto streaming = weight_streaming();
  return streaming ? streaming->streamable_bytes() : 0;
}

std::int64_t Engine::weight_budget() const {
  const auto streaming = weight_streaming();
  return streaming ? streaming->budget() : 0;
}

std::int64_t Engine::automatic_weight_budget() const {
  const auto streaming = weight_streaming();
  return streaming ? streaming->automatic_budget() : 0;
}

void Engine::set_weight_budget(std::int64_t bytes) {
  const auto streaming = weight_streaming();
  if (!streaming) {
    throw core::unsupported("[runtime] engine ", artifact_.name,
                            " has no weights to stream: it was not compiled by TensorRT with "
                            "enable_weight_streaming=True");
  }
  if (bytes < 0 || bytes > streaming->streamable_bytes()) {
    throw core::invalid_argument("[runtime] engine ", artifact_.name, ": weight budget is ", bytes,
                                 ", expected 0..", streaming->streamable_bytes(), " bytes");
  }
  const std::lock_guard lock(pool_->mutex);
  if (pool_->running > 0) {
    throw core::invalid_argument("[runtime] engine ", artifact_.name,
                                 ": its weight budget cannot change while a call runs");
  }
  pool_->idle.clear();
  streaming->set_budget(bytes);
}

void Engine::drop_contexts() {
  const std::lock_guard lock(pool_->mutex);
  pool_->idle.clear();
}

std::vector<at::Tensor> Engine::infer_outputs(const std::vector<at::Tensor>& inputs) const {
  check_inputs(inputs);
  std::vector<at::Tensor> outputs;
  const auto shapes = inferred_shapes(inputs);
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    outputs.push_back(at::empty(shapes[i], at::TensorOptions(outputs_[i].dtype).device(at::kMeta)));
  }
  return outputs;
}

std::vector<std::vector<std::int64_t>> Engine::inferred_shapes(
    const std::vector<at::Tensor>& inputs) const {
  std::vector<StaticInput> known;
  std::vector<std::int64_t> key;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    StaticInput& input = known.emplace_back();
    input.dims = inputs[i].sizes().vec();
    if (inputs_[i].host && !inputs[i].is_meta()) input.content = numbers_of(inputs[i]);
    // Ranks and the presence of contents are told apart by their lengths.
    key.push_back(static_cast<std::int64_t>(input.dims.size()));
    key.insert(key.end(), input.dims.begin(), input.dims.end());
    key.push_back(input.content ? static_cast<std::int64_t>(input.content->size()) : -1);
    if (input.content) key.insert(key.end(), input.content->begin(), input.content->end());
  }
  return shapes_->get(key, [&] { return infer_output_shapes(artifact_, known); });
}

std::string Engine::describe() const {
  std::string out = core::text("Engine ", artifact_.name, " (", plugin_name_, ')');
  const auto add = [&](std::string_view what, const std::vector<core::IoEntry>& entries) {
    for (const core::IoEntry& entry : entries) {
      out += core::text("\n  ", what, ' ', entry.name, ": ", core::to_text(entry.type),
                        entry.host ? " (host)" : "");
    }
  };
  add("input", artifact_.inputs);
  add("output", artifact_.outputs);
  for (const core::Plan& plan : artifact_.plans) {
    out += core::text("\n  plan ", plan.engine, ' ', plan.version, " for ", plan.device, ", ",
                      plan.payload.size(), " bytes");
  }
  if (artifact_.network) {
    out += core::text("\n  network of ", artifact_.network->layer_count(), " layers");
  }
  return out;
}

std::size_t Engine::contexts_created() const {
  const std::lock_guard lock(pool_->mutex);
  return pool_->created;
}

}  // namespace torch_tensorrt::runtime
