#include "torch_tensorrt/torch_tensorrt.h"

#include <ATen/Context.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <torch/version.h>

#include <algorithm>
#include <iostream>
#include <sstream>

#include "api/spec.h"
#include "compiler/driver.h"
#include "core/artifact.h"
#include "core/engine.h"
#include "core/error.h"
#include "core/text.h"

namespace torch_tensorrt {
namespace {

static_assert(std::string_view(TORCH_TENSORRT_VERSION) == TORCHTRT_VERSION,
              "the version in include/torch_tensorrt/macros.h is not the project's");

std::vector<std::byte> to_bytes(const std::string& engine) {
  const auto* first = reinterpret_cast<const std::byte*>(engine.data());
  return {first, first + engine.size()};
}

std::string describe_engine(const std::string& name) {
  std::string reason;
  const core::EnginePlugin* plugin = core::find_engine_plugin(name, &reason);
  if (!plugin) return "not available: " + reason;
  const core::Availability availability = plugin->available();
  return availability.yes ? plugin->version() : "not available: " + availability.reason;
}

// ---- binding names ----

/// Where each of `names` is in `entries`; the identity where no names are given.
std::vector<std::size_t> order(const std::vector<core::IoEntry>& entries,
                               const std::vector<std::string>& names, std::string_view what) {
  std::vector<std::string> known;
  for (const core::IoEntry& entry : entries) known.push_back(entry.name);
  std::vector<std::size_t> positions;
  for (const std::string& name : names.empty() ? known : names) {
    const auto found = std::ranges::find(known, name);
    const auto position = static_cast<std::size_t>(found - known.begin());
    if (found == known.end() || std::ranges::find(positions, position) != positions.end()) break;
    positions.push_back(position);
  }
  if (positions.size() != known.size() || (!names.empty() && names.size() != known.size())) {
    throw core::invalid_argument(what, " binding names are ", core::join(names),
                                 ", expected each of the engine's once: ", core::join(known));
  }
  return positions;
}

bool is_identity(const std::vector<std::size_t>& positions) {
  return std::ranges::is_sorted(positions);
}

/// A module that calls `engine` with its inputs and outputs in another order.
torch::jit::Module reordered(const torch::jit::Module& engine,
                             const std::vector<std::size_t>& inputs,
                             const std::vector<std::size_t>& outputs) {
  std::vector<std::string> parameters, arguments(inputs.size()), results;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    parameters.push_back(core::text("x", i, ": Tensor"));
    arguments[inputs[i]] = core::text("x", i);
  }
  for (const std::size_t output : outputs) {
    results.push_back(outputs.size() == 1 ? "y" : core::text("y[", output, "]"));
  }
  torch::jit::Module module("__torch__.torch_tensorrt.ReorderedEngine");
  module.register_module("engine", engine);
  module.define(core::text("def forward(self, ", core::join(parameters), "):\n  y = self.engine(",
                           core::join(arguments), ")\n  return ", core::join(results), '\n'));
  return module;
}

}  // namespace

std::string get_build_info() {
  std::ostringstream out;
  out << "Torch-TensorRT: " << TORCHTRT_VERSION << "\nPyTorch: " << TORCH_VERSION
      << "\nCompiler: gcc " << __VERSION__
      << "\nC++ ABI: _GLIBCXX_USE_CXX11_ABI=" << _GLIBCXX_USE_CXX11_ABI << '\n';
  for (const std::string& name : core::engine_plugin_names()) {
    out << "Engine " << name << ": " << describe_engine(name) << '\n';
  }
  return std::move(out).str();
}

void dump_build_info() { std::cout << get_build_info(); }

void set_device(int gpu_id) {
  const auto guard = at::hasCUDA() ? c10::impl::getDeviceGuardImpl(at::kCUDA) : nullptr;
  const int count = guard ? guard->deviceCount() : 0;
  if (gpu_id < 0 || gpu_id >= count) {
    throw core::invalid_argument("GPU id is ", gpu_id, ", expected one of the ", count,
                                 " GPUs that PyTorch sees on this machine");
  }
  guard->setDevice({at::kCUDA, static_cast<c10::DeviceIndex>(gpu_id)});
}

namespace torchscript {

bool check_method_operator_support(const torch::jit::Module& module, std::string method_name) {
  return compiler::unsupported_ops(module, method_name).empty();
}

torch::jit::Module compile(const torch::jit::Module& module, CompileSpec spec) {
  return compiler::compile(module, api::to_signature(spec.graph_inputs), api::to_settings(spec))
      .module;
}

std::string convert_method_to_trt_engine(const torch::jit::Module& module, std::string method_name,
                                         CompileSpec spec) {
  const std::vector<std::byte> bytes = compiler::convert_method_to_engine(
      module, api::to_signature(spec.graph_inputs), api::to_settings(spec), method_name);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

torch::jit::Module embed_engine_in_new_module(
    const std::string& engine, Device device, const std::vector<std::string>& input_binding_names,
    const std::vector<std::string>& output_binding_names) {
  CompileSpec spec(std::vector<Input>{});
  spec.device = device;
  const std::vector<std::byte> bytes = to_bytes(engine);
  const torch::jit::Module module = compiler::embed_engine(bytes, api::to_settings(spec));
  if (input_binding_names.empty() && output_binding_names.empty()) return module;
  const auto artifact = core::Artifact::from_bytes(core::Blob::of(bytes));
  const auto inputs = order(artifact.inputs, input_binding_names, "input");
  const auto outputs = order(artifact.outputs, output_binding_names, "output");
  if (is_identity(inputs) && is_identity(outputs)) return module;
  return reordered(module, inputs, outputs);
}

std::string get_report(const torch::jit::Module& module, ReportFormat format) {
  constexpr const char* kAttribute = "_torchtrt_report";
  if (!module.hasattr(kAttribute)) {
    throw core::invalid_argument("the module has no report: it was not compiled by Torch-TensorRT");
  }
  const std::string json = module.attr(kAttribute).toStringRef();
  return format == ReportFormat::kJson ? json : compiler::Report::from_json(json).to_text();
}

}  // namespace torchscript
}  // namespace torch_tensorrt
