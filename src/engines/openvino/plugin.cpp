// The engine for CPUs: OpenVINO. A plan carries no bytes; the engine is built from the Network
// wherever it is loaded.

#include "core/engine.h"
#include "core/error.h"
#include "engines/openvino/compile.h"
#include "engines/openvino/device.h"
#include "engines/openvino/executable.h"
#include "engines/openvino/support.h"

namespace torch_tensorrt::engines::openvino {

namespace {

class OpenvinoPlugin final : public core::EnginePlugin {
 public:
  std::string_view name() const noexcept override { return "openvino"; }
  /// The library is linked: where it is missing, this plugin does not load.
  core::Availability available() const noexcept override { return {}; }
  std::string version() const override { return short_version(); }
  std::string device_key(core::EngineDevice) const override { return cpu_isa(); }
  bool runs_on(core::DeviceKind kind) const noexcept override {
    return kind == core::DeviceKind::cpu;
  }

  core::Support supports(const core::Network& network, const core::Node& node) const override {
    return openvino::supports(network, node);
  }

  core::Plan build(const core::Network& network, const core::BuildOptions& options) const override {
    compile_and_keep(network, options);
    return {std::string(name()), version(), device_key(options.device), {}};
  }

  std::unique_ptr<core::Executable> load(const core::Plan& plan, const core::Network* network,
                                         const core::BuildOptions& options) const override {
    if (!network) {
      throw core::incompatible(
          "openvino builds its engines from the network, and this file was saved without it (plan "
          "of ",
          plan.engine, " ", plan.version, " for ", plan.device, "): save it with portable=True");
    }
    return make_executable(take_or_compile(*network, options), signature_of(*network));
  }
};

}  // namespace

}  // namespace torch_tensorrt::engines::openvino

extern "C" TORCHTRT_API const torch_tensorrt::core::EnginePlugin* torchtrt_engine_plugin_v1() {
  static const torch_tensorrt::engines::openvino::OpenvinoPlugin plugin;
  return &plugin;
}
