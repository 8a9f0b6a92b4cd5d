#include "engines/openvino/executable.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <mutex>
#include <optional>
#include <utility>

#include "core/error.h"
#include "engines/openvino/emit.h"
#include "engines/openvino/emitter.h"
#include "openvino/runtime/infer_request.hpp"

namespace torch_tensorrt::engines::openvino {

using core::Buffer;
using core::Ints;
using core::OutputSink;
using core::TensorType;
using core::text;

namespace {

/// OpenVINO wants an address even where there are no elements.
void* address(void* data) {
  alignas(64) static std::array<std::byte, 64> nothing;
  return data ? data : nothing.data();
}

std::int64_t element_count(std::span<const std::int64_t> dims) {
  std::int64_t count = 1;
  for (const std::int64_t dim : dims) count *= dim;
  return count;
}

std::string show(std::span<const std::int64_t> dims) { return text("[", core::join(dims), "]"); }

/// The caller's memory that a port of the request was last given.
struct Binding {
  const void* data = nullptr;
  Ints dims;
  bool bound = false;

  bool is(const void* other, std::span<const std::int64_t> other_dims) const {
    return bound && data == other && std::ranges::equal(dims, other_dims);
  }
  void set(const void* new_data, std::span<const std::int64_t> new_dims) {
    data = new_data;
    dims.assign(new_dims.begin(), new_dims.end());
    bound = true;
  }
};

/// Output dims by what they follow from: the dims of dynamic inputs and the values of host inputs.
class ShapeMemory {
 public:
  const std::vector<Ints>* find(const Ints& key) const {
    const auto found = std::ranges::find(entries_, key, &Entry::key);
    return found == entries_.end() ? nullptr : &found->dims;
  }
  void put(Ints key, std::vector<Ints> dims) {
    if (entries_.size() < kCapacity)
      entries_.push_back({std::move(key), std::move(dims)});
    else
      entries_[next_++ % kCapacity] = {std::move(key), std::move(dims)};
  }

 private:
  static constexpr std::size_t kCapacity = 32;
  struct Entry {
    Ints key;
    std::vector<Ints> dims;
  };
  std::vector<Entry> entries_;
  std::size_t next_ = 0;
};

/// What the contexts of one executable have in common. OpenVINO's requests of one model share its
/// graph, and making or destroying one while another runs crashes; the model has one stream, so
/// that runs queue up inside it anyway.
struct Engine {
  ov::CompiledModel model;
  Signature signature;
  std::mutex mutex;
  /// After a run that failed, of which OpenVINO's graph keeps sizes that later runs would take for
  /// theirs.
  bool failed = false;

  Engine(ov::CompiledModel compiled, Signature known)
      : model(std::move(compiled)), signature(std::move(known)) {}
};

class OpenvinoContext final : public core::Context {
 public:
  explicit OpenvinoContext(std::shared_ptr<Engine> engine)
      : engine_(std::move(engine)),
        signature_(&engine_->signature),
        inputs_(signature_->inputs.size()),
        outputs_(signature_->outputs.size()) {
    const std::lock_guard lock(engine_->mutex);
    request_ = engine_->model.create_infer_request();
    for (const Signature::Output& output : signature_->outputs) {
      static_dims_.push_back(output.type.is_static() ? core::static_dims(output.type.dims)
                                                     : Ints{});
      has_dynamic_output_ = has_dynamic_output_ || !output.type.is_static();
    }
  }

  ~OpenvinoContext() override {
    const std::lock_guard lock(engine_->mutex);
    request_ = {};
    own_.clear();
  }

  void run(std::span<const Buffer> inputs, OutputSink& sink,
           const core::Launch& /*launch*/) override {
    const std::lock_guard lock(engine_->mutex);
    if (engine_->failed) throw core::engine_failed("openvino failed in another call of the engine");
    bind_inputs(inputs);
    const std::vector<Ints>* known =
        has_dynamic_output_ ? shapes_.find(shape_key(inputs)) : nullptr;
    for (std::size_t i = 0; i < outputs_.size(); ++i) bind_output(i, known, sink);
    try {
      request_.infer();
    } catch (const std::exception& error) {
      throw failed("openvino failed while running the engine: ", one_line(error));
    }
    check_assertions();
    if (has_dynamic_output_) collect_dynamic(inputs, known, sink);
  }

 private:
  template <typename... Args>
  core::Error failed(const Args&... args) {
    engine_->failed = true;
    return core::engine_failed(args...);
  }

  void bind_inputs(std::span<const Buffer> inputs) {
    if (inputs.size() != inputs_.size()) {
      throw core::invalid_argument("openvino: got ", inputs.size(), " inputs, expected ",
                                   inputs_.size());
    }
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const Buffer& buffer = inputs[i];
      if (buffer.dtype == core::DType::i64) check_range(i, buffer);
      if (inputs_[i].is(buffer.data, buffer.dims)) continue;
      request_.set_input_tensor(i,
                                tensor(signature_->inputs[i].type.dtype, buffer.dims, buffer.data));
      inputs_[i].set(buffer.data, buffer.dims);
    }
  }

  /// OpenVINO holds i64 as i32 and would wrap larger numbers without a word.
  static void check_range(std::size_t i, const Buffer& buffer) {
    const auto* values = static_cast<const std::int64_t*>(buffer.data);
    const std::int64_t count = element_count(buffer.dims);
    std::int64_t lost = 0;
    for (std::int64_t k = 0; k < count; ++k)
      lost |= values[k] ^ static_cast<std::int32_t>(values[k]);
    if (lost == 0) return;
    throw core::invalid_argument(
        "openvino computes i64 in 32 bits, and input ", i,
        " has a number beyond them; keep the operations on it in PyTorch (torch_executed_ops)");
  }

  static ov::Tensor tensor(core::DType dtype, std::span<const std::int64_t> dims, void* data) {
    return {element_type(dtype), ov::Shape(dims.begin(), dims.end()), address(data)};
  }

  /// The dims of output i before the run, where they are known.
  const Ints* dims_before(std::size_t i, const std::vector<Ints>* known) const {
    if (signature_->outputs[i].type.is_static()) return &static_dims_[i];
    return known && signature_->outputs[i].predictable ? &(*known)[i] : nullptr;
  }

  void bind_output(std::size_t i, const std::vector<Ints>* known, OutputSink& sink) {
    const core::DType dtype = signature_->outputs[i].type.dtype;
    if (const Ints* dims = dims_before(i, known)) {
      void* data = sink.allocate(i, dtype, *dims);
      if (outputs_[i].is(data, *dims)) return;
      request_.set_output_tensor(i, tensor(dtype, *dims, data));
      outputs_[i].set(data, *dims);
    } else if (outputs_[i].bound || !own_[i].has_value()) {
      // A tensor of OpenVINO's own, which it makes as large as it needs.
      if (!own_[i])
        own_[i] =
            ov::Tensor(element_type(dtype), ov::Shape(signature_->outputs[i].type.dims.size(), 0));
      request_.set_output_tensor(i, *own_[i]);
      outputs_[i].bound = false;
    }
  }

  void collect_dynamic(std::span<const Buffer> inputs, const std::vector<Ints>* known,
                       OutputSink& sink) {
    std::vector<Ints> all(outputs_.size());
    for (std::size_t i = 0; i < outputs_.size(); ++i) {
      const Signature::Output& output = signature_->outputs[i];
      if (output.type.is_static()) continue;
      const ov::Tensor result = request_.get_output_tensor(i);
      const ov::Shape& shape = result.get_shape();
      all[i].assign(shape.begin(), shape.end());
      check_dims(i, all[i]);
      if (const Ints* before = dims_before(i, known)) {
        if (*before != all[i]) throw unexpected_dims(i, all[i], show(*before));
        continue;
      }
      void* data = sink.allocate(i, output.type.dtype, all[i]);
      if (const std::size_t size = result.get_byte_size(); size > 0)
        std::memcpy(data, result.data(), size);
    }
    if (!known) shapes_.put(shape_key(inputs), std::move(all));
  }

  /// With one thread OpenVINO swallows errors of a run and leaves outputs of size 0.
  void check_dims(std::size_t i, const Ints& dims) {
    const core::Dims& expected = signature_->outputs[i].type.dims;
    bool fits = dims.size() == expected.size();
    for (std::size_t axis = 0; fits && axis < dims.size(); ++axis) {
      const core::Extent& extent = expected[axis];
      fits = extent.is_static() ? dims[axis] == extent.opt : dims[axis] > 0 || extent.min <= 0;
    }
    if (!fits) throw unexpected_dims(i, dims, core::to_text(signature_->outputs[i].type));
  }

  core::Error unexpected_dims(std::size_t i, const Ints& dims, const std::string& expected) {
    return failed("openvino gave output ", i, " the dims ", show(dims), ", expected ", expected);
  }

  void check_assertions() {
    for (std::size_t i = 0; i < signature_->assertions.size(); ++i) {
      const ov::Tensor outcome = request_.get_output_tensor(outputs_.size() + i);
      if (!*static_cast<const char*>(outcome.data()))
        throw core::invalid_argument(signature_->assertions[i]);
    }
  }

  const Ints& shape_key(std::span<const Buffer> inputs) {
    key_.clear();
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const Signature::Input& input = signature_->inputs[i];
      if (!input.type.is_static())
        key_.insert(key_.end(), inputs[i].dims.begin(), inputs[i].dims.end());
      if (!input.host) continue;
      const auto* values = static_cast<const std::int64_t*>(inputs[i].data);
      key_.insert(key_.end(), values, values + element_count(inputs[i].dims));
    }
    return key_;
  }

  std::shared_ptr<Engine> engine_;
  const Signature* signature_;
  ov::InferRequest request_;
  std::vector<Binding> inputs_;
  std::vector<Binding> outputs_;
  std::vector<std::optional<ov::Tensor>> own_ =
      std::vector<std::optional<ov::Tensor>>(outputs_.size());
  std::vector<Ints> static_dims_;
  bool has_dynamic_output_ = false;
  ShapeMemory shapes_;
  Ints key_;
};

class OpenvinoExecutable final : public core::Executable {
 public:
  OpenvinoExecutable(ov::CompiledModel model, Signature signature)
      : engine_(std::make_shared<Engine>(std::move(model), std::move(signature))) {}

  std::unique_ptr<core::Context> create_context() const override {
    try {
      return std::make_unique<OpenvinoContext>(engine_);
    } catch (const std::exception& error) {
      throw core::internal_error("openvino could not prepare the engine: ", one_line(error));
    }
  }

 private:
  std::shared_ptr<Engine> engine_;
};

template <typename... Kinds>
bool is_any(const core::Layer& layer) {
  return (std::holds_alternative<Kinds>(layer) || ...);
}

/// For every value: whether it, or its dims, may follow from how many elements the data select.
std::vector<bool> data_dependent(const core::Network& network) {
  std::vector<bool> depends(network.value_count(), false);
  for (const core::Node& node : network.nodes()) {
    bool any = is_any<core::NonZero, core::Nms, core::Loop, core::If>(node.layer);
    for (const core::ValueId input : node.inputs)
      any = any || (input != core::kAbsent && depends[input]);
    for (const core::ValueId output : node.outputs) depends[output] = any;
  }
  return depends;
}

}  // namespace

Signature signature_of(const core::Network& network) {
  Signature signature;
  for (std::size_t i = 0; i < network.inputs().size(); ++i) {
    signature.inputs.push_back({network.type(network.inputs()[i]), network.input_is_host(i)});
  }
  const std::vector<bool> depends = data_dependent(network);
  for (const core::ValueId output : network.outputs()) {
    signature.outputs.push_back({network.type(output), !depends[output]});
  }
  for (const core::Node* node : open_assertions(network)) {
    signature.assertions.push_back(std::get<core::Assert>(node->layer).message);
  }
  return signature;
}

std::unique_ptr<core::Executable> make_executable(ov::CompiledModel model, Signature signature) {
  // OpenVINO may know dims that the Network leaves open, and then wants tensors of just these.
  for (std::size_t i = 0; i < signature.outputs.size(); ++i) {
    const ov::PartialShape& shape = std::as_const(model).output(i).get_partial_shape();
    if (!shape.is_static()) continue;
    const ov::Shape dims = shape.to_shape();
    signature.outputs[i].type.dims.assign(dims.begin(), dims.end());
  }
  return std::make_unique<OpenvinoExecutable>(std::move(model), std::move(signature));
}

}  // namespace torch_tensorrt::engines::openvino
