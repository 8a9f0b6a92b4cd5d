#include "engines/tensorrt/native/builder.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <filesystem>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "core/error.h"
#include "core/files.h"
#include "core/text.h"
#include "engines/tensorrt/native/enums.h"
#include "engines/tensorrt/native/player.h"

namespace torch_tensorrt::engines::tensorrt {

using nvinfer1::BuilderFlag;
using nvinfer1::IBuilder;
using nvinfer1::IBuilderConfig;

namespace {

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

void set_flags(IBuilderConfig& config, const core::BuildOptions& options) {
  const core::TensorRtOptions& own = options.tensorrt;
  const std::array<std::pair<BuilderFlag, bool>, 7> flags = {
      {{BuilderFlag::kTF32, options.allow_tf32},
       {BuilderFlag::kSPARSE_WEIGHTS, own.sparse_weights},
       {BuilderFlag::kVERSION_COMPATIBLE, own.version_compatible},
       {BuilderFlag::kSTRIP_PLAN, own.strip_weights},
       {BuilderFlag::kREFIT, own.refit},
       {BuilderFlag::kREFIT_IDENTICAL, own.refit_identical},
       {BuilderFlag::kWEIGHT_STREAMING, own.weight_streaming}}};
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

void set_tiling(IBuilderConfig& config, const core::TensorRtOptions& settings) {
  std::string name = settings.tiling_optimization_level;
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::toupper(c); });
  const auto level = member_from_name<nvinfer1::TilingOptimizationLevel>(name);
  check(level && config.setTilingOptimizationLevel(*level),
        "the tiling optimization level " + settings.tiling_optimization_level);
  if (settings.l2_limit_for_tiling < 0) return;
  check(config.setL2LimitForTiling(settings.l2_limit_for_tiling),
        core::text("the L2 limit ", settings.l2_limit_for_tiling));
}

/// Only TensorRT-RTX builds for other GPUs than the present one. `target` is "sm_89".
template <class Config>
void set_target(Config& config, const std::string& target) {
  if (target.empty()) return;
  if constexpr (requires { config.getComputeCapability(0); }) {
    using Capability = decltype(config.getComputeCapability(0));
    int number = 0;
    const char* const end = target.data() + target.size();
    const std::size_t start = target.find('_') + 1;
    const auto [rest, error] = std::from_chars(target.data() + start, end, number);
    check(error == std::errc() && rest == end, "the target " + target + ", expected sm_89, say");
    check(config.setNbComputeCapabilities(1) &&
              config.setComputeCapability(static_cast<Capability>(number), 0),
          "the target " + target);
  } else {
    throw core::unsupported("[engine tensorrt] ", kProduct, " builds for the present GPU only");
  }
}

void configure(IBuilderConfig& config, const core::BuildOptions& options) {
  set_flags(config, options);
  const core::TensorRtOptions& own = options.tensorrt;
  if (options.workspace_size > 0) {
    config.setMemoryPoolLimit(nvinfer1::MemoryPoolType::kWORKSPACE,
                              static_cast<std::size_t>(options.workspace_size));
  }
  if (options.optimization_level >= 0) {
    config.setBuilderOptimizationLevel(options.optimization_level);
    check(config.getBuilderOptimizationLevel() == options.optimization_level,
          core::text("the optimization level ", options.optimization_level));
  }
  if (own.hardware_compatible) {
    constexpr auto level = nvinfer1::HardwareCompatibilityLevel::kAMPERE_PLUS;
    config.setHardwareCompatibilityLevel(level);
    check(config.getHardwareCompatibilityLevel() == level, "hardware compatibility");
  }
  if (own.average_timing_iterations > 1) {
    config.setAvgTimingIterations(own.average_timing_iterations);
    check(config.getAvgTimingIterations() == own.average_timing_iterations,
          core::text(own.average_timing_iterations, " timing iterations"));
  }
  set_aux_streams(config, own.max_aux_streams);
  set_tiling(config, own);
  set_target(config, options.target);
}

// ---- Timing cache ------------------------------------------------------------------------------

/// The cache of the file; a new one where there is no file, or one of another GPU or version.
std::unique_ptr<nvinfer1::ITimingCache> attach_timing_cache(IBuilderConfig& config,
                                                            const std::string& path) {
  if (path.empty()) return nullptr;
  const std::vector<std::byte> bytes =
      std::filesystem::exists(path) ? core::read_file(path) : std::vector<std::byte>();
  std::unique_ptr<nvinfer1::ITimingCache> cache(
      config.createTimingCache(bytes.data(), bytes.size()));
  if (cache != nullptr && config.setTimingCache(*cache, false)) return cache;
  cache = owned(config.createTimingCache(nullptr, 0), "timing cache");
  check(config.setTimingCache(*cache, false), "a new timing cache");
  return cache;
}

// ---- Build -------------------------------------------------------------------------------------

core::Blob build_with(IBuilder& builder, IBuilderConfig& config, const Script& script) {
  const auto network = owned(builder.createNetworkV2(kNetworkFlags), "network");
  play(script, *network, builder.getPluginRegistry());
  add_profile(builder, config, script);
  auto plan = owned(builder.buildSerializedNetwork(*network, config), "engine for this network");
  const std::shared_ptr<nvinfer1::IHostMemory> shared = std::move(plan);
  return {shared, shared->data(), shared->size()};
}

}  // namespace

core::Blob build(IBuilder& builder, Logger& logger, const Script& script,
                 const core::BuildOptions& options) {
  try {
    const auto config = owned(builder.createBuilderConfig(), "configuration");
    configure(*config, options);
    const std::string& path = options.tensorrt.timing_cache_path;
    const auto cache = attach_timing_cache(*config, path);
    // A cache of another GPU or version is no error of this build.
    logger.forget_errors();
    core::Blob plan = build_with(builder, *config, script);
    if (logger.has_errors()) {
      throw core::unsupported("[engine tensorrt] errors while ", kProduct, " built the engine");
    }
    if (cache != nullptr) {
      const auto bytes = owned(cache->serialize(), "serialized timing cache");
      core::write_atomically(path, [&](std::ostream& out) {
        out.write(static_cast<const char*>(bytes->data()),
                  static_cast<std::streamsize>(bytes->size()));
      });
    }
    return plan;
  } catch (const core::Error& error) {
    throw core::Error(error.kind(), error.what() + logger.errors());
  }
}

}  // namespace torch_tensorrt::engines::tensorrt
