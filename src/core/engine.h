#pragma once

// The engine plugin interface. A plugin is a shared library libtorchtrt_engine_<name>.so beside
// libtorchtrt_runtime.so or in a folder of TORCHTRT_ENGINE_PATH, opened on first use. It exports
//   extern "C" const torch_tensorrt::core::EnginePlugin* torchtrt_engine_plugin_v1();
// which returns a pointer to an object that lives as long as the process.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/blob.h"
#include "core/export.h"
#include "core/network.h"

namespace torch_tensorrt::core {

/// Yes, or why not and what to do.
struct Availability {
  bool yes = true;
  std::string reason;
  static Availability no(std::string reason) { return {false, std::move(reason)}; }
};

/// Yes, or the reason for the report.
struct Support {
  bool yes = true;
  std::string reason;
  static Support no(std::string reason) { return {false, std::move(reason)}; }
};

enum class DeviceKind : std::uint8_t { cpu, cuda };
struct EngineDevice {
  DeviceKind kind = DeviceKind::cpu;
  int index = 0;
};

/// What TensorRT's builder alone knows; see the settings of the same names.
struct TensorRtOptions {
  bool sparse_weights = false, refit = false, refit_identical = false;
  bool version_compatible = false, hardware_compatible = false;
  bool strip_weights = false, weight_streaming = false;
  int average_timing_iterations = 1;
  int max_aux_streams = -1;
  std::string tiling_optimization_level = "none";
  std::int64_t l2_limit_for_tiling = -1;
  std::string timing_cache_path;
};

struct BuildOptions {
  EngineDevice device;
  /// CPU threads of one inference; 0: as many as PyTorch uses (the caller fills it in from
  /// torch::get_num_threads()).
  int num_threads = 0;
  bool allow_tf32 = true;
  std::int64_t workspace_size = 0;  ///< bytes; 0: the engine's choice
  int optimization_level = -1;      ///< -1: the engine's default
  /// GPU architecture to build for, "sm_89"; empty: the device's own.
  std::string target;
  TensorRtOptions tensorrt;
  /// Folder for compiled blobs of this engine, or empty for none.
  std::string cache_dir;
};

/// A built engine as bytes, with what must match for it to load.
struct Plan {
  std::string engine;   ///< plugin name
  std::string version;  ///< the engine's version that built it
  std::string device;   ///< device key: CPU ISA, or GPU SM
  Blob payload;         ///< may be empty for engines that always build from the Network
};

/// A caller's buffer: dense, row-major, on the executable's device (host inputs: on the host).
struct Buffer {
  DType dtype = DType::f32;
  std::span<const std::int64_t> dims;
  void* data = nullptr;
};

/// Where results go: called once per output before the engine writes it; the memory is the caller's
/// and must stay valid until run() returns. Data-dependent sizes are known at the call, so the
/// engine asks then.
class OutputSink {
 public:
  virtual void* allocate(std::size_t index, DType dtype, std::span<const std::int64_t> dims) = 0;

 protected:
  ~OutputSink() = default;
};

/// How one call runs on a GPU; without meaning on a CPU.
struct Launch {
  void* stream = nullptr;   ///< the caller's cudaStream_t
  bool cuda_graph = false;  ///< record the call as a CUDA graph where the engine can, and replay it
};

/// One execution at a time; owned by one caller at a time (the runtime keeps a pool).
class Context {
 public:
  virtual ~Context() = default;
  /// Runs synchronously on CPU, or enqueues on the launch's stream on CUDA, whose device is the
  /// current one. Inputs were checked by the caller against the Network's input types. Throws
  /// Error, of the kind engine_failed where the whole Executable cannot be trusted any longer, and
  /// what the sink throws; a context that threw is not run again.
  virtual void run(std::span<const Buffer> inputs, OutputSink& outputs, const Launch& launch) = 0;
};

/// Weights that stay on the host and are copied to the GPU while the engine runs, but for a budget
/// of bytes that are kept there.
class WeightStreaming {
 public:
  virtual std::int64_t streamable_bytes() const = 0;  ///< 0: the engine was not built for it
  virtual std::int64_t budget() const = 0;
  /// What fits in the GPU's free memory.
  virtual std::int64_t automatic_budget() const = 0;
  /// No context may exist.
  virtual void set_budget(std::int64_t bytes) = 0;

 protected:
  ~WeightStreaming() = default;
};

/// A loaded engine. Thread-safe: any number of contexts may be made and run at the same time.
class Executable {
 public:
  virtual ~Executable() = default;
  virtual std::unique_ptr<Context> create_context() const = 0;
  /// Null where the engine has no such thing.
  virtual WeightStreaming* weight_streaming() { return nullptr; }
};

/// The whole contract of an engine. All functions may be called from several threads at once.
class EnginePlugin {
 public:
  virtual ~EnginePlugin() = default;
  virtual std::string_view name() const noexcept = 0;
  virtual Availability available() const noexcept = 0;
  /// Version of the engine's library, "2026.4.1".
  virtual std::string version() const = 0;
  /// What a plan is tied to on this machine: CPU instruction set or GPU architecture.
  virtual std::string device_key(EngineDevice device) const = 0;
  virtual bool runs_on(DeviceKind kind) const noexcept = 0;
  /// Throws what no network could be built or run with: a target that is not known, a GPU of
  /// another kind. May take as long as building a network of one layer.
  virtual void check(const BuildOptions& /*options*/) const {}
  /// Does this version load a plan of its own on this device?
  virtual bool fits(const Plan& plan, EngineDevice device) const {
    return plan.version == version() && plan.device == device_key(device);
  }
  /// Does the engine take this layer with these types? `node` is a node of `network`.
  virtual Support supports(const Network& network, const Node& node) const = 0;
  virtual Plan build(const Network& network, const BuildOptions& options) const = 0;
  /// Loads a plan made by this version on this device. `network` is null when the artifact was
  /// stripped of it.
  virtual std::unique_ptr<Executable> load(const Plan& plan, const Network* network,
                                           const BuildOptions& options) const = 0;
};

using EnginePluginEntry = const EnginePlugin* (*)();
inline constexpr const char* kEnginePluginEntry = "torchtrt_engine_plugin_v1";

/// The plugin of that name, opened on first use. Throws Error(unavailable) naming the folders
/// searched, the loader's message and what to install.
TORCHTRT_API const EnginePlugin& engine_plugin(std::string_view name);
/// The plugin, or nullptr and the reason.
TORCHTRT_API const EnginePlugin* find_engine_plugin(std::string_view name,
                                                    std::string* reason = nullptr);
/// Names of all plugin libraries found on the search path, sorted.
TORCHTRT_API std::vector<std::string> engine_plugin_names();
/// The plugin that "auto" means on a device: tensorrt where it can run, else openvino, else
/// reference (with a warning).
TORCHTRT_API const EnginePlugin& auto_engine_plugin(DeviceKind kind);

}  // namespace torch_tensorrt::core
