#pragma once

// Builds engines with TensorRT's builder, whose library is opened when it is first needed.

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/blob.h"
#include "core/log.h"
#include "engines/tensorrt/script.h"

namespace torch_tensorrt::engines::tensorrt {

struct BuildSettings {
  std::string library;              ///< path of TensorRT's library; empty: where the loader looks
  std::int64_t workspace_size = 0;  ///< bytes; 0: TensorRT's choice
  int optimization_level = -1;      ///< 0..5; -1: TensorRT's default
  bool allow_tf32 = true;
  bool sparse_weights = false;
  bool version_compatible = false;
  bool hardware_compatible = false;
  int max_aux_streams = -1;                        ///< -1: TensorRT's choice
  std::string tiling_optimization_level = "none";  ///< none, fast, moderate, full
  std::int64_t l2_limit_for_tiling = -1;           ///< bytes; -1: TensorRT's choice
  std::string timing_cache_path;                   ///< read and written; empty: none
  bool strip_engine_weights = false;
  bool refit = false;
  bool weight_streaming = false;
  std::vector<int> compute_capabilities;  ///< 86 for SM86; of TensorRT-RTX only; empty: its choice
};

/// Receives TensorRT's messages, of one thread at a time.
using LogSink = std::function<void(core::LogLevel, std::string_view)>;

/// The engine that TensorRT makes of the script, serialized. Throws core::Error: unavailable or
/// incompatible about the library, else with what TensorRT says about the network.
core::Blob build(const Script& script, const BuildSettings& settings, const LogSink& sink);

}  // namespace torch_tensorrt::engines::tensorrt
