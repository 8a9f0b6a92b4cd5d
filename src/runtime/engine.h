#pragma once

// torch.classes.tensorrt.Engine: an artifact that runs.

#include <ATen/core/ivalue.h>
#include <torch/custom_class.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "core/artifact.h"
#include "core/engine.h"
#include "core/export.h"

namespace torch_tensorrt::runtime {

/// How an engine is to be loaded on this machine.
struct LoadOptions {
  core::BuildOptions build;
  /// Plugin to use; empty or "auto": the artifact's own where it can run here, else what "auto"
  /// means.
  std::string engine;
};

/// The options that a loaded module gets: PyTorch's thread count, the per-user cache folder.
TORCHTRT_API LoadOptions default_load_options(core::EngineDevice device);

/// The folder for compiled engines: $TORCHTRT_CACHE_DIR, else $XDG_CACHE_HOME/torch_tensorrt, else
/// ~/.cache/torch_tensorrt; made (mode 0700) where missing. Empty where it cannot be written.
TORCHTRT_API std::string user_cache_dir();

/// While one lives, engines that this thread makes are not loaded: they hold their artifact, to be
/// looked at and written again, and cannot run.
class TORCHTRT_API WithoutLoading {
 public:
  WithoutLoading() { ++depth(); }
  ~WithoutLoading() { --depth(); }
  WithoutLoading(const WithoutLoading&) = delete;
  WithoutLoading& operator=(const WithoutLoading&) = delete;
  static bool active() { return depth() > 0; }

 private:
  static int& depth();
};

/// Whether calls on a GPU are recorded as CUDA graphs, one for each set of shapes, and replayed;
/// for all engines of the process. False at the start.
TORCHTRT_API void set_cuda_graphs(bool on);
TORCHTRT_API bool cuda_graphs();
/// Whether inputs on another device than the engine's are copied there rather than refused; for all
/// engines of the process. False at the start.
TORCHTRT_API void set_multi_device_safe_mode(bool on);
TORCHTRT_API bool multi_device_safe_mode();

/// Runs one artifact. Any number of threads may call execute at the same time.
class TORCHTRT_API Engine : public torch::CustomClassHolder {
 public:
  /// Loads the first plan that fits this machine; where none fits and the Network is there,
  /// rebuilds the engine and says so in one INFO line. Throws core::Error(incompatible) naming both
  /// sides otherwise.
  Engine(core::Artifact artifact, LoadOptions options);
  ~Engine() override;
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  /// From serialized bytes (uint8 tensor), as a loaded module has them.
  static c10::intrusive_ptr<Engine> from_bytes(const at::Tensor& bytes);
  /// The artifact's bytes as a uint8 tensor.
  at::Tensor to_bytes() const;

  const core::Artifact& artifact() const { return artifact_; }
  /// Name of the plugin that runs it.
  const std::string& plugin() const { return plugin_name_; }

  /// The constants of the Network, by value number, and where their elements lie in memory.
  std::vector<std::pair<core::ValueId, const void*>> weights() const;
  /// The same engine with other elements for some of its constants, built for this machine. Throws
  /// Error(unsupported) where the artifact has no Network, Error(invalid_argument) where a dtype or
  /// shape differs.
  c10::intrusive_ptr<Engine> with_weights(
      const std::vector<std::pair<core::ValueId, at::Tensor>>& weights) const;

  /// Inputs in the artifact's order, on the engine's device. Checks count, dtype, rank and ranges:
  /// Error(invalid_argument) with got and expected. Returns new tensors.
  std::vector<at::Tensor> execute(const std::vector<at::Tensor>& inputs);

  /// Would execute take these inputs?
  bool accepts(const std::vector<at::Tensor>& inputs) const;

  /// Outputs on the meta device for inputs of which only dtype and sizes count (and the elements of
  /// host inputs, where these are real). Throws Error(unsupported) where a size depends on data.
  std::vector<at::Tensor> infer_outputs(const std::vector<at::Tensor>& inputs) const;

  /// Inputs, outputs and plans, a line each.
  std::string describe() const;
  /// How many execution contexts were made: the most calls that ran at one time, one at least.
  std::size_t contexts_created() const;

  /// Whether the tensors of the next call's results are made while the GPU still works on this one;
  /// used where the sizes stay the same.
  void set_pre_allocated_outputs(bool on);
  bool pre_allocated_outputs() const { return pre_allocates_; }

  /// Bytes of weights that need not be on the GPU; 0 where the engine was not built for it.
  std::int64_t streamable_weights() const;
  /// Bytes of them that are kept there.
  std::int64_t weight_budget() const;
  /// The budget that fits into the GPU's free memory.
  std::int64_t automatic_weight_budget() const;
  /// Throws Error(unsupported) where nothing is streamable, Error(invalid_argument) while a call
  /// runs or where the budget is out of range.
  void set_weight_budget(std::int64_t bytes);
  /// Drops what the contexts that do not run have recorded: CUDA graphs and their memory.
  void drop_contexts();

 private:
  struct Pool;
  class Lease;
  struct Port;
  class ShapeCache;

  std::unique_ptr<core::Executable> loaded_again() const;
  std::shared_ptr<core::WeightStreaming> weight_streaming() const;
  std::string where(std::size_t input) const;
  bool accepts(std::size_t index, const at::Tensor& tensor) const;
  [[noreturn]] void refuse(std::size_t index, const at::Tensor& tensor) const;
  void check_inputs(const std::vector<at::Tensor>& inputs) const;
  at::Tensor prepared(std::size_t index, const at::Tensor& tensor) const;
  std::vector<std::vector<std::int64_t>> inferred_shapes(
      const std::vector<at::Tensor>& inputs) const;

  core::Artifact artifact_;
  at::Tensor bytes_;  ///< what the artifact was read from, if it was
  LoadOptions options_;
  at::Device device_;
  std::vector<Port> inputs_, outputs_;
  unsigned process_ = 0;  ///< generation of the process that loaded it
  std::string plugin_name_;
  std::atomic<bool> pre_allocates_{false};
  std::shared_ptr<Pool> pool_;
  std::unique_ptr<ShapeCache> shapes_;
};

}  // namespace torch_tensorrt::runtime
