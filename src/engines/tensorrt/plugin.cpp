// The engines of NVIDIA GPUs: TensorRT and TensorRT-RTX, one source for both. The vendor's library
// is reached through its C++ interface where this was compiled with its headers and the library is
// found, else through its Python module; nothing of NVIDIA's is linked.

#include <charconv>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "core/builder.h"
#include "core/engine.h"
#include "core/error.h"
#include "core/foreign.h"
#include "engines/tensorrt/cuda.h"
#include "engines/tensorrt/emitter.h"
#include "engines/tensorrt/executable.h"
#include "engines/tensorrt/native/library.h"
#include "engines/tensorrt/plan_tag.h"
#include "engines/tensorrt/process.h"
#include "engines/tensorrt/support.h"

namespace torch_tensorrt::engines::tensorrt {

namespace {

#ifdef TORCHTRT_TENSORRT_RTX
constexpr bool kIsRtx = true;
constexpr const char* kName = "tensorrt_rtx";
constexpr const char* kInstall = "`pip install tensorrt-rtx-cu13`";
#else
constexpr bool kIsRtx = false;
constexpr const char* kName = "tensorrt";
constexpr const char* kInstall = "`pip install tensorrt`, from NVIDIA's package index";
#endif

/// TensorRT-RTX counts its own versions: its 1.7 has the layers of TensorRT 10.14 and more.
constexpr Version kOfRtx{10, 14};

/// NVIDIA's library as C++ reaches it; null where this was built without its headers, or it is not
/// found.
const NativeLibrary* native() {
#ifdef TORCHTRT_TENSORRT_NATIVE
  return native_library();
#else
  return nullptr;
#endif
}

std::shared_ptr<const core::ForeignLibrary> foreign() {
  const auto in_process = core::foreign_library();
  return in_process ? in_process : process_library();
}

/// Each library is asked once: starting a process or importing the module takes long.
std::string library_version(std::string* reason = nullptr) {
  if (native()) return native()->version();
  static std::mutex mutex;
  static std::weak_ptr<const core::ForeignLibrary> asked;
  static std::string version, why;
  const auto library = foreign();
  std::unique_lock lock(mutex);
  if (asked.lock() != library) {
    // Unlocked: the answer may wait for Python's lock, whose holder may wait here.
    lock.unlock();
    std::string its_reason;
    std::string its_version = library->version(kName, its_reason);
    lock.lock();
    asked = library;
    version = std::move(its_version);
    why = std::move(its_reason);
  }
  if (reason) *reason = why;
  return version;
}

Version layers_version() {
  if (kIsRtx) return kOfRtx;
  const std::string text = library_version();
  Version version;
  const char* end = text.data() + text.size();
  const auto [dot, error] = std::from_chars(text.data(), end, version.major);
  if (error == std::errc() && dot != end) std::from_chars(dot + 1, end, version.minor);
  return version;
}

nlohmann::json options_of(const core::BuildOptions& options) {
  const core::TensorRtOptions& own = options.tensorrt;
  return {{"target", options.target},
          {"workspace_size", options.workspace_size},
          {"optimization_level", options.optimization_level},
          {"tf32", options.allow_tf32},
          {"sparse_weights", own.sparse_weights},
          {"refit", own.refit},
          {"refit_identical", own.refit_identical},
          {"version_compatible", own.version_compatible},
          {"hardware_compatible", own.hardware_compatible},
          {"strip_weights", own.strip_weights},
          {"weight_streaming", own.weight_streaming},
          {"average_timing_iterations", own.average_timing_iterations},
          {"max_aux_streams", own.max_aux_streams},
          {"tiling_optimization_level", own.tiling_optimization_level},
          {"l2_limit_for_tiling", own.l2_limit_for_tiling},
          {"timing_cache_path", own.timing_cache_path}};
}

nlohmann::json outputs_of(const core::Network& network) {
  nlohmann::json outputs = nlohmann::json::array();
  for (std::size_t i = 0; i < network.outputs().size(); ++i) {
    const core::TensorType& type = network.type(network.outputs()[i]);
    outputs.push_back({network.output_names()[i], core::name(type.dtype), dims_of(type.dims)});
  }
  return outputs;
}

class TensorRtPlugin final : public core::EnginePlugin {
 public:
  std::string_view name() const noexcept override { return kName; }

  core::Availability available() const noexcept override {
    std::string reason;
    if (!library_version(&reason).empty()) return {};
    return core::Availability::no(core::text(reason, "; install it with ", kInstall));
  }

  std::string version() const override { return library_version(); }

  std::string device_key(core::EngineDevice device) const override {
    const bool is_here = device.kind == core::DeviceKind::cuda && Cuda::driver() != nullptr;
    return is_here ? Cuda::driver()->architecture(device.index) : "none";
  }

  bool runs_on(core::DeviceKind kind) const noexcept override {
    return kind == core::DeviceKind::cuda && (native() || core::foreign_library()) &&
           Cuda::driver() != nullptr;
  }

  /// NVIDIA's library is asked with an engine of one layer, which takes TensorRT-RTX 20 ms.
  /// TensorRT, which takes seconds and runs on every GPU that it installs for, only says that it
  /// has no targets.
  void check(const core::BuildOptions& options) const override {
    if (!kIsRtx && options.target.empty()) return;
    core::BuildOptions plain;
    plain.device = options.device;
    plain.target = options.target;
    core::Network network;
    core::NetworkBuilder layers(network);
    const core::Value x = layers.input("x", {core::DType::f32, {1}});
    network.mark_output(layers.activation(core::ActivationOp::relu, x).id(), "y");
    core::Plan plan;
    try {
      plan = build(network, plain);
    } catch (const core::Error& error) {
      throw core::invalid_argument(error.what());
    }
    if (!options.target.empty()) return;
    try {
      load(plan, &network, plain);
    } catch (const core::Error& error) {
      throw core::incompatible("[engine] ", kName, " does not run on the GPU that is here, ",
                               device_key(options.device), ": ", error.what());
    }
  }

  bool fits(const core::Plan& plan, core::EngineDevice device) const override {
    return tag_fits(plan, version(), device_key(device));
  }

  core::Support supports(const core::Network& network, const core::Node& node) const override {
    return tensorrt::supports(network, node, layers_version(), kIsRtx);
  }

  core::Plan build(const core::Network& network, const core::BuildOptions& options) const override {
    const auto current = require_gpu_or_target(options);
    const Script script = to_script(network, layers_version());
    core::Plan plan = tagged_plan(kName, version(), target_of(options), options.tensorrt);
    if (native()) {
      plan.payload = native()->build(script, options);
      return plan;
    }
    std::vector<core::Blob> weights;
    for (const Weights& entry : script.weights) weights.push_back(entry.bytes);
    nlohmann::json program = to_json(script);
    program["options"] = options_of(options);
    program["sizes"] = nlohmann::json::array();
    for (const core::Blob& blob : weights) program["sizes"].push_back(blob.size());
    program["outputs"] = outputs_of(network);
    plan.payload = foreign()->build(kName, program.dump(), weights);
    return plan;
  }

  std::unique_ptr<core::Executable> load(const core::Plan& plan, const core::Network*,
                                         const core::BuildOptions& options) const override {
    if (!runs_on(options.device.kind)) {
      throw core::unavailable("[engine] ", kName, " plans run on NVIDIA GPUs only");
    }
    const auto current = Cuda::driver()->use(options.device.index);
    auto engine = native() ? native()->load(plan.payload) : foreign()->load(kName, plan.payload);
    if (engine->streamable_bytes() > 0) engine->set_budget(engine->automatic_budget());
    return make_executable(std::move(engine), *Cuda::driver(), options.device.index);
  }

 private:
  std::string target_of(const core::BuildOptions& options) const {
    return options.target.empty() ? device_key(options.device) : options.target;
  }

  /// The GPU that is built on, current until the result is destroyed.
  static std::shared_ptr<void> require_gpu_or_target(const core::BuildOptions& options) {
    if (!options.target.empty()) return nullptr;
    std::string reason = "the model is on the CPU";
    const Cuda* cuda =
        options.device.kind == core::DeviceKind::cuda ? Cuda::driver(&reason) : nullptr;
    if (cuda) return cuda->use(options.device.index);
    throw core::invalid_argument("[engine] ", kName, " builds for the GPU it is on (", reason,
                                 "), or for one that is named: target=['sm_89'], say");
  }
};

}  // namespace

}  // namespace torch_tensorrt::engines::tensorrt

extern "C" TORCHTRT_API const torch_tensorrt::core::EnginePlugin* torchtrt_engine_plugin_v1() {
  static const torch_tensorrt::engines::tensorrt::TensorRtPlugin plugin;
  return &plugin;
}
