#include "engines/conformance/execute.h"

#include <ATen/ATen.h>

#include "core/artifact.h"
#include "core/error.h"

namespace torch_tensorrt::engines::conformance {
namespace {

bool within(std::span<const std::int64_t> dims, const core::TensorType& type) {
  if (dims.size() != type.dims.size()) return false;
  for (std::size_t i = 0; i < dims.size(); ++i) {
    if (dims[i] < type.dims[i].min || dims[i] > type.dims[i].max) return false;
  }
  return true;
}

// Hands out tensors, and checks what the engine asks for against the network's types.
class TensorSink final : public core::OutputSink {
 public:
  TensorSink(const core::Network& network, at::Device device)
      : network_(network), device_(device), tensors_(network.outputs().size()) {}

  void* allocate(std::size_t index, DType dtype, std::span<const std::int64_t> dims) override {
    const core::TensorType& type = network_.type(network_.outputs().at(index));
    if (dtype != type.dtype || !within(dims, type)) {
      throw core::internal_error("conformance: output ", index, " came as ", core::name(dtype), "[",
                                 core::join(dims), "], the network says ", core::to_text(type));
    }
    if (tensors_[index].defined()) {
      throw core::internal_error("conformance: output ", index, " was allocated twice");
    }
    tensors_[index] = at::empty({dims.data(), dims.size()},
                                at::TensorOptions().dtype(scalar_type(dtype)).device(device_));
    return tensors_[index].mutable_data_ptr();
  }

  Tensors take() const {
    Tensors results;
    for (std::size_t i = 0; i < tensors_.size(); ++i) {
      if (!tensors_[i].defined()) {
        throw core::internal_error("conformance: output ", i, " was never allocated");
      }
      results.push_back(tensors_[i].cpu());
    }
    return results;
  }

 private:
  const core::Network& network_;
  at::Device device_;
  Tensors tensors_;
};

core::IoEntry entry(const core::Network& network, core::ValueId value, std::string name) {
  return {std::move(name), network.type(value), false};
}

}  // namespace

core::Artifact artifact_of(std::string_view engine, const core::Network& network) {
  core::Artifact artifact;
  artifact.name = "conformance";
  artifact.producer = "torch_tensorrt conformance";
  artifact.preferred_engine = engine;
  for (std::size_t i = 0; i < network.inputs().size(); ++i) {
    artifact.inputs.push_back(entry(network, network.inputs()[i], network.input_name(i)));
    artifact.inputs.back().host = network.input_is_host(i);
  }
  for (std::size_t i = 0; i < network.outputs().size(); ++i) {
    artifact.outputs.push_back(entry(network, network.outputs()[i], network.output_names()[i]));
  }
  artifact.network = network;
  return artifact;
}

Tensors execute(core::Context& context, const core::Network& network, const Tensors& inputs,
                core::EngineDevice device) {
  const bool cuda = device.kind == core::DeviceKind::cuda;
  const at::Device place = cuda ? at::Device(at::kCUDA, static_cast<c10::DeviceIndex>(device.index))
                                : at::Device(at::kCPU);
  Tensors placed;
  std::vector<core::Buffer> buffers;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    placed.push_back(network.input_is_host(i) ? inputs[i] : inputs[i].to(place));
    const at::IntArrayRef dims = inputs[i].sizes();
    buffers.push_back({network.type(network.inputs()[i]).dtype,
                       {dims.data(), dims.size()},
                       placed.back().mutable_data_ptr()});
  }
  TensorSink sink(network, place);
  context.run(buffers, sink, {});
  return sink.take();
}

std::unique_ptr<core::Executable> make_executable(const core::EnginePlugin& engine,
                                                  const core::Network& network,
                                                  const core::BuildOptions& options) {
  return engine.load(engine.build(network, options), &network, options);
}

std::unique_ptr<core::Executable> reloaded_executable(const core::EnginePlugin& engine,
                                                      const core::Network& network,
                                                      const core::BuildOptions& options) {
  core::Artifact written = artifact_of(engine.name(), network);
  written.plans.push_back(engine.build(network, options));
  const core::Artifact read = core::Artifact::from_bytes(core::Blob::of(written.to_bytes()));
  if (!read.network || read.network->digest() != network.digest()) {
    throw core::internal_error("conformance: the network changed on its way through the artifact");
  }
  return engine.load(read.plans.at(0), &*read.network, options);
}

}  // namespace torch_tensorrt::engines::conformance
