#pragma once

// Every compile setting, declared once. The C++ struct, Python's keyword arguments, the CLI's flags
// and the table in the docs derive from TORCHTRT_SETTINGS; an unknown name is an error that names
// the nearest.

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/dtype.h"
#include "core/export.h"

namespace torch_tensorrt::core {

using Strings = std::vector<std::string>;

/// Precisions that the engine may use, "f32" and lower; always contains f32 implicitly as the
/// model's own types.
using Precisions = std::set<DType>;

// name, C++ type, default, sentence for help and docs
// clang-format off
#define TORCHTRT_SETTINGS(SETTING)                                                                                     \
  SETTING(engine, std::string, "auto", "Engine plugin: auto (tensorrt where it can run, else openvino, else reference) or a plugin's name") \
  SETTING(enabled_precisions, Precisions, Precisions{DType::f32}, "Dtypes that engines may compute in: f32, f16, bf16, i8") \
  SETTING(dryrun, bool, false, "Report what engines would take without building any; in Python also a path to write the report to") \
  SETTING(require_full_compilation, bool, false, "Fail, naming the ops, unless the whole model becomes one engine")     \
  SETTING(pass_through_build_failures, bool, false, "Fail where an engine cannot be built, rather than leave its ops in PyTorch") \
  SETTING(min_block_size, std::int64_t, 3, "Fewest ops that are worth an engine (an LSTM, GRU or RNN counts as 8); smaller groups stay in PyTorch")        \
  SETTING(torch_executed_ops, Strings, {}, "Ops to keep in PyTorch, such as aten::relu")                                 \
  SETTING(torch_executed_modules, Strings, {}, "Module types or module paths whose ops stay in PyTorch")                 \
  SETTING(device_type, std::string, "auto", "Device of the engines: auto (CUDA where the model is on CUDA), cpu, gpu, dla") \
  SETTING(gpu_id, std::int64_t, 0, "Index of the GPU")                                                                   \
  SETTING(dla_core, std::int64_t, 0, "Index of the DLA core")                                                            \
  SETTING(allow_gpu_fallback, bool, false, "Let layers that a DLA refuses run on its GPU")                               \
  SETTING(capability, std::string, "standard", "Engine capability: standard, safety, dla_standalone")                    \
  SETTING(num_threads, std::int64_t, 0, "CPU threads of one inference; 0: as many as PyTorch uses")                      \
  SETTING(portable, bool, true, "Keep the Network in the artifact, so that engines can be rebuilt on another machine or version") \
  SETTING(cache_built_engines, bool, true, "Keep compiled engines in a per-user cache")                                  \
  SETTING(engine_cache_dir, std::string, "", "Folder of that cache; empty: $XDG_CACHE_HOME/torch_tensorrt")              \
  SETTING(disable_tf32, bool, false, "Compute float32 convolutions and matmuls without TF32 on GPUs")                    \
  SETTING(sparse_weights, bool, false, "Let TensorRT use structured sparsity of weights")                                \
  SETTING(refit, bool, false, "Build engines whose weights can be replaced")                                             \
  SETTING(debug, bool, false, "Build engines that can be inspected layer by layer")                                      \
  SETTING(num_avg_timing_iters, std::int64_t, 1, "Timing iterations per kernel while TensorRT tunes")                    \
  SETTING(workspace_size, std::int64_t, 0, "Largest workspace of an engine in bytes; 0: the engine's choice")            \
  SETTING(optimization_level, std::int64_t, -1, "Builder effort 0..5; -1: the engine's default")                         \
  SETTING(target, Strings, {}, "GPU architectures to build TensorRT plans for ahead of time, such as sm_89; the GPU need not be here")                  \
  SETTING(version_compatible, bool, false, "Build TensorRT plans that later versions of it load")                        \
  SETTING(hardware_compatible, bool, false, "Build TensorRT plans that newer GPUs run")                                  \
  SETTING(max_aux_streams, std::int64_t, -1, "Further CUDA streams that TensorRT may use; -1: its choice")               \
  SETTING(tiling_optimization_level, std::string, "none", "Effort of TensorRT's tiling: none, fast, moderate, full")     \
  SETTING(l2_limit_for_tiling, std::int64_t, -1, "L2 cache in bytes that tiling may use; -1: TensorRT's choice")         \
  SETTING(timing_cache_path, std::string, "", "File of TensorRT's kernel timings, read and written; empty: none")        \
  SETTING(strip_engine_weights, bool, false, "Build TensorRT plans without weights, to be refitted when loaded")         \
  SETTING(refit_identical_engine_weights, bool, false, "Allow refitting only with the weights that were built with")     \
  SETTING(enable_weight_streaming, bool, false, "Let TensorRT keep weights on the host and stream them")                 \
  SETTING(dla_sram_size, std::int64_t, 1048576, "DLA software-managed SRAM in bytes")                                    \
  SETTING(dla_local_dram_size, std::int64_t, 1073741824, "DLA local DRAM in bytes")                                      \
  SETTING(dla_global_dram_size, std::int64_t, 536870912, "DLA global DRAM in bytes")                                     \
  SETTING(truncate_long_and_double, bool, false, "Compute 64-bit floats in 32 bits inside engines")                      \
  SETTING(allow_shape_tensors, bool, false, "Accepted for compatibility; shapes are always computed on the host where they can be")
// clang-format on

struct TORCHTRT_API Settings {
#define TORCHTRT_DECLARE_SETTING(name, type, default_, doc) type name = default_;
  TORCHTRT_SETTINGS(TORCHTRT_DECLARE_SETTING)
#undef TORCHTRT_DECLARE_SETTING
};

/// A value on its way into a setting, as a frontend has it.
using SettingValue = std::variant<bool, std::int64_t, std::string, Strings>;

struct SettingInfo {
  std::string_view name;
  std::string_view kind;  ///< "bool", "int", "str", "list of str", "set of dtype"
  std::string default_text;
  std::string_view doc;
};

/// All settings in declaration order.
TORCHTRT_API const std::vector<SettingInfo>& setting_table();
/// Throws Error(unknown_setting) with the nearest name, or Error(invalid_argument) with got and
/// expected.
TORCHTRT_API void set_setting(Settings& settings, std::string_view name, const SettingValue& value);
/// The setting's current value.
TORCHTRT_API SettingValue get_setting(const Settings& settings, std::string_view name);
/// The candidate with the smallest edit distance to `name`, or empty where none is near.
TORCHTRT_API std::string nearest_name(std::string_view name,
                                      const std::vector<std::string>& candidates);

}  // namespace torch_tensorrt::core
