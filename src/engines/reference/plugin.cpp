// The engine "reference": every layer is the ATen call that says what the layer means. Slow and
// obvious; the oracle that the conformance suite holds other engines against, and the engine of
// last resort.

#include <ATen/ATen.h>
#include <ATen/autocast_mode.h>
#include <c10/core/InferenceMode.h>
#include <c10/core/StreamGuard.h>
#include <torch/version.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <variant>

#include "core/engine.h"
#include "core/error.h"
#include "engines/reference/program.h"

namespace torch_tensorrt::engines::reference {
namespace {

using core::DType;

at::Device torch_device(const core::EngineDevice& device) {
  if (device.kind == core::DeviceKind::cpu) return at::kCPU;
  return {at::kCUDA, static_cast<c10::DeviceIndex>(device.index)};
}

// Makes the caller's CUDA stream the current one; a stream's id is its handle where PyTorch did not
// create it.
c10::OptionalStreamGuard use_stream(at::Device device, void* stream) {
  if (!device.is_cuda()) return c10::OptionalStreamGuard();
  return c10::OptionalStreamGuard(
      c10::Stream(c10::Stream::UNSAFE, device, reinterpret_cast<c10::StreamId>(stream)));
}

class ReferenceContext final : public core::Context {
 public:
  explicit ReferenceContext(std::shared_ptr<const Program> program)
      : program_(std::move(program)) {}

  void run(std::span<const core::Buffer> inputs, core::OutputSink& outputs,
           const core::Launch& launch) override {
    const c10::InferenceMode inference;
    // The Network's dtypes are final: a caller's autocast must not change them.
    const c10::impl::ExcludeDispatchKeyGuard no_autocast(c10::autocast_dispatch_keyset);
    const auto current_stream = use_stream(program_->device(), launch.stream);

    Tensors arguments;
    for (std::size_t i = 0; i < inputs.size(); ++i) arguments.push_back(argument(i, inputs[i]));
    const Tensors results = program_->run(std::move(arguments));
    for (std::size_t i = 0; i < results.size(); ++i) write(i, results[i], outputs);
  }

 private:
  at::Tensor argument(std::size_t index, const core::Buffer& buffer) const {
    const bool host = program_->network().input_is_host(index);
    const at::Device place = host ? at::Device(at::kCPU) : program_->device();
    const at::IntArrayRef dims(buffer.dims.data(), buffer.dims.size());
    const auto options = at::TensorOptions().dtype(scalar_type(buffer.dtype)).device(place);
    if (c10::multiply_integers(dims) == 0) return at::empty(dims, options).to(program_->device());
    return at::from_blob(buffer.data, dims, options).to(program_->device());
  }

  void write(std::size_t index, const at::Tensor& result, core::OutputSink& outputs) const {
    const core::Network& network = program_->network();
    const DType dtype = network.type(network.outputs()[index]).dtype;
    const std::span<const std::int64_t> dims(result.sizes().data(), result.sizes().size());
    void* memory = outputs.allocate(index, dtype, dims);
    if (result.numel() > 0) at::from_blob(memory, result.sizes(), result.options()).copy_(result);
  }

  std::shared_ptr<const Program> program_;
};

class ReferenceExecutable final : public core::Executable {
 public:
  explicit ReferenceExecutable(std::shared_ptr<const Program> program)
      : program_(std::move(program)) {}
  std::unique_ptr<core::Context> create_context() const override {
    return std::make_unique<ReferenceContext>(program_);
  }

 private:
  std::shared_ptr<const Program> program_;
};

// ATen has no 4-bit tensors and computes nothing in 8-bit floats: they exist between constants and
// (de)quantize.
core::Support storage_type_support(const core::Network& network, const core::Node& node,
                                   DType dtype) {
  if (dtype == DType::f4) return core::Support::no("ATen has no 4-bit float type");
  if (dtype != DType::i4 && dtype != DType::f8) return {};
  const bool moves = std::holds_alternative<core::Constant>(node.layer) ||
                     std::holds_alternative<core::Identity>(node.layer) ||
                     std::holds_alternative<core::Quantize>(node.layer) ||
                     std::holds_alternative<core::Dequantize>(node.layer);
  const bool at_border = std::ranges::any_of(node.outputs, [&](core::ValueId value) {
    return std::ranges::count(network.outputs(), value) > 0;
  });
  if (dtype == DType::i4 && at_border) {
    return core::Support::no("ATen has no 4-bit tensors: i4 cannot leave the network");
  }
  if (moves || (dtype == DType::f8 && std::holds_alternative<core::Input>(node.layer))) return {};
  return core::Support::no(core::text("ATen computes nothing in ", core::name(dtype),
                                      "; it passes from quantize or constants to dequantize only"));
}

class ReferencePlugin final : public core::EnginePlugin {
 public:
  std::string_view name() const noexcept override { return "reference"; }
  core::Availability available() const noexcept override { return {}; }
  std::string version() const override { return TORCH_VERSION; }
  std::string device_key(core::EngineDevice device) const override {
    return device.kind == core::DeviceKind::cpu ? "cpu" : "cuda";
  }
  bool runs_on(core::DeviceKind kind) const noexcept override {
    return kind == core::DeviceKind::cpu || at::globalContext().hasCUDA();
  }

  core::Support supports(const core::Network& network, const core::Node& node) const override {
    if (const auto* plugin = std::get_if<core::Plugin>(&node.layer)) {
      return core::Support::no(
          core::text("it runs no plugins of TensorRT, such as '", plugin->plugin, "'"));
    }
    for (const auto* values : {&node.inputs, &node.outputs}) {
      for (const core::ValueId value : *values) {
        if (value == core::kAbsent) continue;
        core::Support support = storage_type_support(network, node, network.type(value).dtype);
        if (!support.yes) return support;
      }
    }
    return {};
  }

  /// Nothing to build: the plan names this engine, and the Network is what runs.
  core::Plan build(const core::Network& network, const core::BuildOptions& options) const override {
    for (const core::Node& node : network.nodes()) {
      const core::Support support = supports(network, node);
      if (!support.yes) {
        throw core::unsupported("reference: layer ", core::kind_of(node.layer), ": ",
                                support.reason);
      }
    }
    return {std::string(name()), version(), device_key(options.device), {}};
  }

  std::unique_ptr<core::Executable> load(const core::Plan& plan, const core::Network* network,
                                         const core::BuildOptions& options) const override {
    if (plan.engine != name()) {
      throw core::incompatible("reference: the plan was built by engine '", plan.engine,
                               "', expected 'reference'");
    }
    if (!network) {
      throw core::incompatible(
          "reference: this engine runs from the Network, which the artifact does not hold; compile "
          "with portable=True");
    }
    const at::Device device = torch_device(options.device);
    if (device.is_cuda() && !at::globalContext().hasCUDA()) {
      throw core::unavailable("reference: no CUDA device; this PyTorch sees none");
    }
    return std::make_unique<ReferenceExecutable>(std::make_shared<const Program>(*network, device));
  }
};

}  // namespace
}  // namespace torch_tensorrt::engines::reference

extern "C" TORCHTRT_API const torch_tensorrt::core::EnginePlugin* torchtrt_engine_plugin_v1() {
  static const torch_tensorrt::engines::reference::ReferencePlugin plugin;
  return &plugin;
}
