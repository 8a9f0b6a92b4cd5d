#include "runtime/load.h"

#include <ATen/Parallel.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <iomanip>
#include <vector>

#include "core/error.h"
#include "core/log.h"
#include "core/text.h"

namespace torch_tensorrt::runtime {
namespace {

std::string_view name_of(core::DeviceKind kind) {
  return kind == core::DeviceKind::cpu ? "CPU" : "CUDA";
}

/// Null and the reason where the plugin cannot run here.
const core::EnginePlugin* usable_plugin(std::string_view name, core::DeviceKind kind,
                                        std::string& reason) {
  const core::EnginePlugin* plugin = core::find_engine_plugin(name, &reason);
  if (!plugin) return nullptr;
  if (!plugin->runs_on(kind)) {
    reason = core::text("engine ", name, " does not run on ", name_of(kind));
    return nullptr;
  }
  const core::Availability availability = plugin->available();
  if (!availability.yes) {
    reason = availability.reason;
    return nullptr;
  }
  return plugin;
}

class Loader {
 public:
  Loader(const core::Artifact& artifact, const LoadOptions& options)
      : artifact_(artifact), options_(options) {}

  Loaded load() {
    for (const core::EnginePlugin* plugin : candidates()) {
      if (auto executable = load_plan(*plugin)) {
        return {std::string(plugin->name()), std::move(executable)};
      }
      if (artifact_.network) return build_on(*plugin);
    }
    throw core::incompatible("[runtime] engine ", artifact_.name,
                             ": no plan fits this machine, and the network to build one from was "
                             "left out of the artifact; the artifact has ",
                             offered(), "; this machine has ", here(),
                             "; compile the model on this machine, or with portable=True");
  }

 private:
  using Plugins = std::vector<const core::EnginePlugin*>;

  bool is_chosen() const { return !options_.engine.empty() && options_.engine != "auto"; }

  Plugins candidates() {
    const core::DeviceKind kind = options_.build.device.kind;
    std::string reason;
    if (is_chosen()) {
      const core::EnginePlugin* plugin = usable_plugin(options_.engine, kind, reason);
      if (!plugin) throw core::unavailable("[runtime] engine ", artifact_.name, ": ", reason);
      return {plugin};
    }
    Plugins plugins;
    const auto propose = [&](const std::string& name) {
      const core::EnginePlugin* plugin = usable_plugin(name, kind, reason);
      if (plugin && std::ranges::find(plugins, plugin) == plugins.end()) plugins.push_back(plugin);
    };
    propose(artifact_.preferred_engine);
    for (const core::Plan& plan : artifact_.plans) propose(plan.engine);
    // A portable artifact runs on whatever there is; a plan of another machine's engine is no
    // reason to fail.
    if (plugins.empty() && artifact_.network) plugins.push_back(&core::auto_engine_plugin(kind));
    return plugins;
  }

  std::unique_ptr<core::Executable> load_plan(const core::EnginePlugin& plugin) const {
    const core::Network* network = artifact_.network ? &*artifact_.network : nullptr;
    for (const core::Plan& plan : artifact_.plans) {
      if (plan.engine != plugin.name() || !plugin.fits(plan, options_.build.device)) continue;
      try {
        return plugin.load(plan, network, options_.build);
      } catch (const core::Error& error) {
        if (!network) throw;
        core::log_warning("engine ", artifact_.name, ": its plan for ", plugin.name(), ' ',
                          plan.version, " did not load (", error.what(), "); building it again");
      }
    }
    return nullptr;
  }

  /// Where the artifact's own engine cannot run it here, on a GPU of another kind say, the engine
  /// that "auto" means does.
  Loaded build_on(const core::EnginePlugin& plugin) const {
    try {
      return {std::string(plugin.name()), build(plugin)};
    } catch (const core::Error& error) {
      if (is_chosen() || plugin.name() == "reference") throw;
      const core::DeviceKind kind = options_.build.device.kind;
      const core::EnginePlugin* other = &core::auto_engine_plugin(kind);
      if (other == &plugin) other = &core::engine_plugin("reference");
      core::log_warning("engine ", artifact_.name, ": ", plugin.name(), " cannot run it here (",
                        error.what(), "); ", other->name(), " does");
      return build_on(*other);
    }
  }

  std::unique_ptr<core::Executable> build(const core::EnginePlugin& plugin) const {
    const auto start = std::chrono::steady_clock::now();
    const core::Plan plan = plugin.build(*artifact_.network, options_.build);
    auto executable = plugin.load(plan, &*artifact_.network, options_.build);
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    const std::string message =
        core::text("engine ", artifact_.name, ": no plan for ", plugin.name(), ' ', plan.version,
                   " on ", plan.device, ": built from the portable network in ", std::fixed,
                   std::setprecision(1), seconds.count(), " s");
    // An engine that never stores anything is built at every load: no news.
    const bool news = plugin.name() != artifact_.preferred_engine || !plan.payload.empty();
    core::log(news ? core::LogLevel::info : core::LogLevel::debug, message);
    return executable;
  }

  std::string offered() const {
    std::vector<std::string> plans;
    for (const core::Plan& plan : artifact_.plans) {
      plans.push_back(core::text(plan.engine, ' ', plan.version, " for ", plan.device));
    }
    return plans.empty() ? "no plans" : core::join(plans);
  }

  std::string here() const {
    std::vector<std::string> engines;
    std::string reason;
    for (const std::string& name : core::engine_plugin_names()) {
      const core::EnginePlugin* plugin = usable_plugin(name, options_.build.device.kind, reason);
      if (!plugin) continue;
      engines.push_back(core::text(name, ' ', plugin->version(), " for ",
                                   plugin->device_key(options_.build.device)));
    }
    return engines.empty() ? "no engine" : core::join(engines);
  }

  const core::Artifact& artifact_;
  const LoadOptions& options_;
};

/// The folder, made where missing; empty where it cannot be written.
std::string writable(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder.parent_path(), error);
  ::mkdir(folder.c_str(), 0700);
  return ::access(folder.c_str(), W_OK | X_OK) == 0 ? folder.string() : std::string();
}

/// An absolute path of the environment, or empty.
std::filesystem::path path_of(const char* variable) {
  const char* value = std::getenv(variable);
  const std::filesystem::path path = value ? value : "";
  return path.is_absolute() ? path : std::filesystem::path();
}

}  // namespace

Loaded load(const core::Artifact& artifact, const LoadOptions& options) {
  return Loader(artifact, options).load();
}

core::EngineDevice device_for(const core::Artifact& artifact, at::Device bytes) {
  // A module loaded with map_location has its bytes there.
  if (bytes.is_cuda()) return {core::DeviceKind::cuda, bytes.index()};
  std::string reason;
  const auto fits = [&](core::EngineDevice device) {
    const core::EnginePlugin* plugin =
        usable_plugin(artifact.preferred_engine, device.kind, reason);
    return plugin && std::ranges::any_of(artifact.plans, [&](const core::Plan& plan) {
             return plan.engine == plugin->name() && plugin->fits(plan, device);
           });
  };
  // Where a plan is for: an engine may run on both.
  if (fits({core::DeviceKind::cpu, 0})) return {core::DeviceKind::cpu, 0};
  const bool on_cpu = usable_plugin(artifact.preferred_engine, core::DeviceKind::cpu, reason);
  if (!c10::impl::hasDeviceGuardImpl(at::kCUDA)) return {core::DeviceKind::cpu, 0};
  const c10::impl::VirtualGuardImpl gpus(at::kCUDA);
  const int count = gpus.deviceCount();
  if (count == 0) return {core::DeviceKind::cpu, 0};
  const core::EngineDevice current{core::DeviceKind::cuda, gpus.getDevice().index()};
  if (fits(current)) return current;
  for (int index = 0; index < count; ++index) {
    if (fits({core::DeviceKind::cuda, index})) return {core::DeviceKind::cuda, index};
  }
  const bool on_cuda = usable_plugin(artifact.preferred_engine, core::DeviceKind::cuda, reason);
  return on_cuda && !on_cpu ? current : core::EngineDevice{core::DeviceKind::cpu, 0};
}

std::string user_cache_dir() {
  if (const auto folder = path_of("TORCHTRT_CACHE_DIR"); !folder.empty()) return writable(folder);
  if (const auto cache = path_of("XDG_CACHE_HOME"); !cache.empty()) {
    return writable(cache / "torch_tensorrt");
  }
  if (const auto home = path_of("HOME"); !home.empty()) {
    return writable(home / ".cache" / "torch_tensorrt");
  }
  return {};
}

LoadOptions default_load_options(core::EngineDevice device) {
  LoadOptions options;
  options.build.device = device;
  options.build.num_threads = at::get_num_threads();
  options.build.cache_dir = user_cache_dir();
  return options;
}

}  // namespace torch_tensorrt::runtime
