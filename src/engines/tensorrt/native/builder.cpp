#include "engines/tensorrt/native/builder.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <mutex>
#include <optional>
#include <type_traits>

#include "core/error.h"
#include "core/text.h"
#include "engines/tensorrt/native/enums.h"
#include "engines/tensorrt/native/library.h"
#include "engines/tensorrt/native/player.h"
#include "engines/tensorrt/native/versions.h"

namespace torch_tensorrt::engines::tensorrt {

using nvinfer1::BuilderFlag;
using nvinfer1::IBuilder;
using nvinfer1::IBuilderConfig;

namespace {

/// Hands TensorRT's messages on and keeps its errors for the exception.
class Logger final : public nvinfer1::ILogger {
 public:
  explicit Logger(const LogSink& sink) : sink_(sink) {}

  void log(Severity severity, const char* message) noexcept override {
    const std::lock_guard lock(mutex_);
    // TensorRT's levels are numbered like those of the log.
    const auto level = static_cast<core::LogLevel>(severity);
    if (level <= core::LogLevel::error) errors_.emplace_back(message);
    if (sink_) sink_(level, message);
  }

  void forget_errors() { errors_.clear(); }
  bool has_errors() const { return !errors_.empty(); }
  /// "; TensorRT says: ...", or nothing.
  std::string errors() const {
    return errors_.empty() ? "" : core::text("; ", kProduct, " says: ", core::join(errors_, "; "));
  }

 private:
  const LogSink& sink_;
  std::mutex mutex_;
  std::vector<std::string> errors_;
};

template <class T>
std::unique_ptr<T> owned(T* made, const char* what) {
  if (made == nullptr) throw core::unsupported("[engine tensorrt] ", kProduct, " gives no ", what);
  return std::unique_ptr<T>(made);
}

void check(bool accepted, const std::string& what) {
  if (!accepted) throw core::unsupported("[engine tensorrt] ", kProduct, " refuses ", what);
}

// ---- Optimization profile ----------------------------------------------------------------------

nvinfer1::Dims dims(const Ints& values) {
  nvinfer1::Dims out{static_cast<std::int32_t>(values.size()), {}};
  std::copy_n(values.begin(), std::min(values.size(), std::size(out.d)), out.d);
  return out;
}

bool set_range(nvinfer1::IOptimizationProfile& profile, const Profile& range) {
  using nvinfer1::OptProfileSelector;
  const std::array<std::pair<OptProfileSelector, const Ints*>, 3> ends = {
      {{OptProfileSelector::kMIN, &range.min},
       {OptProfileSelector::kOPT, &range.opt},
       {OptProfileSelector::kMAX, &range.max}}};
  return std::ranges::all_of(ends, [&](const auto& end) {
    const auto& [selector, values] = end;
    if (!range.host) return profile.setDimensions(range.input.c_str(), selector, dims(*values));
    return profile.setShapeValuesV2(range.input.c_str(), selector, values->data(),
                                    static_cast<std::int32_t>(values->size()));
  });
}

void add_profile(IBuilder& builder, IBuilderConfig& config, const Script& script) {
  if (script.profiles.empty()) return;
  nvinfer1::IOptimizationProfile* profile = builder.createOptimizationProfile();
  check(profile != nullptr, "an optimization profile");
  for (const Profile& range : script.profiles) {
    check(set_range(*profile, range),
          core::text("the range [", core::join(range.min), "]..[", core::join(range.max),
                     "] with optimum [", core::join(range.opt), "] of input '", range.input, "'"));
  }
  check(config.addOptimizationProfile(profile) >= 0, "the inputs' ranges");
}

// ---- Settings ----------------------------------------------------------------------------------

void set_flags(IBuilderConfig& config, const BuildSettings& settings) {
  const std::array<std::pair<BuilderFlag, bool>, 6> flags = {
      {{BuilderFlag::kTF32, settings.allow_tf32},
       {BuilderFlag::kSPARSE_WEIGHTS, settings.sparse_weights},
       {BuilderFlag::kVERSION_COMPATIBLE, settings.version_compatible},
       {BuilderFlag::kSTRIP_PLAN, settings.strip_engine_weights},
       {BuilderFlag::kREFIT, settings.refit},
       {BuilderFlag::kWEIGHT_STREAMING, settings.weight_streaming}}};
  for (const auto& [flag, on] : flags) {
    on ? config.setFlag(flag) : config.clearFlag(flag);
    check(config.getFlag(flag) == on,
          core::text("the flag ", kMemberNames<BuilderFlag>[static_cast<std::size_t>(flag)]));
  }
}

/// Reports no success before 11.0, so the number is read back.
void set_aux_streams(IBuilderConfig& config, int count) {
  if (count < 0) return;
  config.setMaxAuxStreams(count);
  check(config.getMaxAuxStreams() == count, core::text(count, " auxiliary streams"));
}

void set_tiling(IBuilderConfig& config, const BuildSettings& settings) {
  std::string name = settings.tiling_optimization_level;
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::toupper(c); });
  const auto level = member_from_name<nvinfer1::TilingOptimizationLevel>(name);
  check(level && config.setTilingOptimizationLevel(*level),
        "the tiling optimization level " + settings.tiling_optimization_level);
  if (settings.l2_limit_for_tiling < 0) return;
  check(config.setL2LimitForTiling(settings.l2_limit_for_tiling),
        core::text("the L2 limit ", settings.l2_limit_for_tiling));
}

/// Only TensorRT-RTX builds for other GPUs than the present one.
template <class Config>
void set_compute_capabilities(Config& config, const std::vector<int>& capabilities) {
  if (capabilities.empty()) return;
  if constexpr (requires { config.getComputeCapability(0); }) {
    using Capability = decltype(config.getComputeCapability(0));
    const auto count = static_cast<std::int32_t>(capabilities.size());
    check(config.setNbComputeCapabilities(count), core::text(count, " compute capabilities"));
    for (std::int32_t i = 0; i < count; ++i) {
      check(config.setComputeCapability(static_cast<Capability>(capabilities[i]), i),
            core::text("the compute capability ", capabilities[i]));
    }
  } else {
    throw core::unsupported("[engine tensorrt] ", kProduct, " builds for the present GPU only");
  }
}

void configure(IBuilderConfig& config, const BuildSettings& settings) {
  set_flags(config, settings);
  if (settings.workspace_size > 0) {
    config.setMemoryPoolLimit(nvinfer1::MemoryPoolType::kWORKSPACE,
                              static_cast<std::size_t>(settings.workspace_size));
  }
  if (settings.optimization_level >= 0) {
    config.setBuilderOptimizationLevel(settings.optimization_level);
    check(config.getBuilderOptimizationLevel() == settings.optimization_level,
          core::text("the optimization level ", settings.optimization_level));
  }
  if (settings.hardware_compatible) {
    constexpr auto level = nvinfer1::HardwareCompatibilityLevel::kAMPERE_PLUS;
    config.setHardwareCompatibilityLevel(level);
    check(config.getHardwareCompatibilityLevel() == level, "hardware compatibility");
  }
  set_aux_streams(config, settings.max_aux_streams);
  set_tiling(config, settings);
  set_compute_capabilities(config, settings.compute_capabilities);
}

// ---- Timing cache ------------------------------------------------------------------------------

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// The cache of the file; a new one where there is no file, or one of another GPU or version.
std::unique_ptr<nvinfer1::ITimingCache> attach_timing_cache(IBuilderConfig& config,
                                                            const std::string& path) {
  if (path.empty()) return nullptr;
  const std::string bytes = read_file(path);
  std::unique_ptr<nvinfer1::ITimingCache> cache(
      config.createTimingCache(bytes.data(), bytes.size()));
  if (cache != nullptr && config.setTimingCache(*cache, false)) return cache;
  cache = owned(config.createTimingCache(nullptr, 0), "timing cache");
  check(config.setTimingCache(*cache, false), "a new timing cache");
  return cache;
}

/// Replaces the file as a whole: other processes may read it meanwhile. False where it cannot.
bool write_timing_cache(const nvinfer1::ITimingCache& cache, const std::string& path) {
  const auto bytes = owned(cache.serialize(), "serialized timing cache");
  const std::string temporary = core::text(path, '.', static_cast<const void*>(&cache), ".tmp");
  std::ofstream out(temporary, std::ios::binary);
  out.write(static_cast<const char*>(bytes->data()), static_cast<std::streamsize>(bytes->size()));
  out.close();
  std::error_code failure;
  if (out) std::filesystem::rename(temporary, path, failure);
  if (out && !failure) return true;
  std::filesystem::remove(temporary, failure);
  return false;
}

// ---- Build -------------------------------------------------------------------------------------

core::Blob build_with(IBuilder& builder, IBuilderConfig& config, const Script& script) {
  const auto network = owned(builder.createNetworkV2(kNetworkFlags), "network");
  play(script, *network);
  add_profile(builder, config, script);
  auto plan = owned(builder.buildSerializedNetwork(*network, config), "engine for this network");
  const std::shared_ptr<nvinfer1::IHostMemory> shared = std::move(plan);
  return {shared, shared->data(), shared->size()};
}

}  // namespace

core::Blob build(const Script& script, const BuildSettings& settings, const LogSink& sink) {
  Logger logger(sink);
  // Outlives the builder, as TensorRT asks for.
  std::unique_ptr<nvinfer1::ITimingCache> cache;
  try {
    const auto builder = owned(create_builder(settings.library, logger).release(), "builder");
    const auto config = owned(builder->createBuilderConfig(), "configuration");
    configure(*config, settings);
    cache = attach_timing_cache(*config, settings.timing_cache_path);
    // A cache of another GPU or version is no error of this build.
    logger.forget_errors();
    core::Blob plan = build_with(*builder, *config, script);
    if (logger.has_errors()) {
      throw core::unsupported("[engine tensorrt] errors while ", kProduct, " built the engine");
    }
    if (cache != nullptr && !write_timing_cache(*cache, settings.timing_cache_path) && sink) {
      sink(core::LogLevel::warning, "cannot write the timing cache " + settings.timing_cache_path);
    }
    return plan;
  } catch (const core::Error& error) {
    throw core::Error(error.kind(), error.what() + logger.errors());
  }
}

}  // namespace torch_tensorrt::engines::tensorrt
