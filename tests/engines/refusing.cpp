// An engine whose library is here and builds nothing, as one on a GPU that it does not know.

#include "core/engine.h"
#include "core/error.h"

namespace torch_tensorrt::engines::refusing {
namespace {

class RefusingPlugin final : public core::EnginePlugin {
 public:
  std::string_view name() const noexcept override { return "refusing"; }
  core::Availability available() const noexcept override { return {}; }
  std::string version() const override { return "1"; }
  std::string device_key(core::EngineDevice /*device*/) const override { return "none"; }
  bool runs_on(core::DeviceKind /*kind*/) const noexcept override { return true; }
  void check(const core::BuildOptions& options) const override {
    throw core::incompatible("[engine] refusing does not know the device, target '", options.target,
                             "'");
  }
  core::Support supports(const core::Network& /*network*/,
                         const core::Node& /*node*/) const override {
    return {};
  }
  core::Plan build(const core::Network& /*network*/,
                   const core::BuildOptions& /*options*/) const override {
    throw core::unsupported("[engine] refusing builds nothing");
  }
  std::unique_ptr<core::Executable> load(const core::Plan& /*plan*/,
                                         const core::Network* /*network*/,
                                         const core::BuildOptions& /*options*/) const override {
    throw core::unsupported("[engine] refusing loads nothing");
  }
};

}  // namespace
}  // namespace torch_tensorrt::engines::refusing

extern "C" TORCHTRT_API const torch_tensorrt::core::EnginePlugin* torchtrt_engine_plugin_v1() {
  static const torch_tensorrt::engines::refusing::RefusingPlugin plugin;
  return &plugin;
}
