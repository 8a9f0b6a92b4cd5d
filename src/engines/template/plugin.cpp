// The engine "template": a plugin to clone. Every method is there and answers honestly that nothing
// is behind it. README.md lists the steps.

#include <memory>
#include <string>

#include "core/engine.h"
#include "core/error.h"

namespace torch_tensorrt::engines::template_engine {
namespace {

// One execution at a time: a vendor's request or execution context, and what it binds buffers to.
class TemplateContext final : public core::Context {
 public:
  /// For each output: get its memory with outputs.allocate(index, dtype, dims), once its dims are
  /// known, and make the vendor write there.
  void run(std::span<const core::Buffer> /*inputs*/, core::OutputSink& /*outputs*/,
           const core::Launch& /*launch*/) override {
    throw core::unavailable("template: a stub to clone runs nothing");
  }
};

// What all contexts share, read-only after load: the vendor's compiled model.
class TemplateExecutable final : public core::Executable {
 public:
  std::unique_ptr<core::Context> create_context() const override {
    return std::make_unique<TemplateContext>();
  }
};

class TemplatePlugin final : public core::EnginePlugin {
 public:
  std::string_view name() const noexcept override { return "template"; }

  /// Is the vendor's library here, and a device for it? A "no" says what is missing and how to get
  /// it.
  core::Availability available() const noexcept override {
    return core::Availability::no(
        "template is a stub to clone, see src/engines/template/README.md");
  }

  /// The vendor library's version: a plan loads only in the version that built it.
  std::string version() const override { return "0.0.0"; }

  /// The CPU's instruction set or the GPU's architecture: a plan loads only where it equals.
  std::string device_key(core::EngineDevice /*device*/) const override { return "none"; }

  bool runs_on(core::DeviceKind /*kind*/) const noexcept override { return false; }

  /// A "no" keeps the node in PyTorch; its reason goes into the report.
  core::Support supports(const core::Network& /*network*/, const core::Node& node) const override {
    return core::Support::no(
        core::text("template takes no layer, so no ", core::kind_of(node.layer)));
  }

  /// Hands the network to the vendor's builder and gives back its bytes.
  core::Plan build(const core::Network& /*network*/,
                   const core::BuildOptions& options) const override {
    return {std::string(name()), version(), device_key(options.device), {}};
  }

  /// Opens plan.payload. Engines that run from the Network refuse here when it is null.
  std::unique_ptr<core::Executable> load(const core::Plan& /*plan*/,
                                         const core::Network* /*network*/,
                                         const core::BuildOptions& /*options*/) const override {
    return std::make_unique<TemplateExecutable>();
  }
};

}  // namespace
}  // namespace torch_tensorrt::engines::template_engine

extern "C" TORCHTRT_API const torch_tensorrt::core::EnginePlugin* torchtrt_engine_plugin_v1() {
  static const torch_tensorrt::engines::template_engine::TemplatePlugin plugin;
  return &plugin;
}
