#include "engines/openvino/compile.h"

#include <algorithm>
#include <cstring>
#include <deque>
#include <istream>
#include <mutex>
#include <optional>
#include <sstream>
#include <streambuf>

#include "core/engine_cache.h"
#include "core/error.h"
#include "core/log.h"
#include "engines/openvino/device.h"
#include "engines/openvino/emitter.h"
#include "engines/openvino/threads.h"
#include "openvino/runtime/core.hpp"
#include "openvino/runtime/properties.hpp"

namespace torch_tensorrt::engines::openvino {

using core::BuildOptions;
using core::Network;
using core::text;

namespace {

constexpr const char* kDevice = "CPU";

/// Never destroyed: at exit its threads may outlive what they use.
ov::Core& runtime_core() {
  static ov::Core* const instance = new ov::Core;
  return *instance;
}

ov::AnyMap properties(const Network& network, const BuildOptions& options) {
  ov::AnyMap map = {
      // Reduced precision is in the types of the Network; without the hint OpenVINO takes bf16
      // where the CPU has it.
      ov::hint::inference_precision(ov::element::f32),
      ov::hint::performance_mode(ov::hint::PerformanceMode::LATENCY),
      ov::num_streams(ov::streams::Num(1)),
      // We are a guest: pinned threads of several engines, and PyTorch's own, would meet on the
      // same cores.
      ov::hint::enable_cpu_pinning(false),
      // It would quantize the activations in front of compressed weights.
      ov::hint::dynamic_quantization_group_size(0),
      // Kernels made for one shape of one layer, a third of a megabyte each: with OpenVINO's 5000
      // of them a small model of 2000 shapes took 3.4 GB.
      {"CPU_RUNTIME_CACHE_CAPACITY", 512},
  };
  if (options.num_threads > 0)
    map.insert(ov::inference_num_threads(threads_for(network, options.num_threads)));
  return map;
}

/// 128 bits over all that the compilation depends on. Not for adversaries: it lives within the
/// process.
class Fingerprint {
 public:
  void add(std::span<const std::byte> bytes) {
    std::size_t i = 0;
    for (; i + 8 <= bytes.size(); i += 8) {
      std::uint64_t word = 0;
      std::memcpy(&word, bytes.data() + i, 8);
      mix(word);
    }
    std::uint64_t rest = 0;
    if (i < bytes.size()) std::memcpy(&rest, bytes.data() + i, bytes.size() - i);
    mix(rest);
    mix(bytes.size());
  }
  bool operator==(const Fingerprint&) const = default;

 private:
  void mix(std::uint64_t word) {
    const auto wide = static_cast<unsigned __int128>(a_ ^ word) * 0x9E3779B97F4A7C15ULL;
    a_ = static_cast<std::uint64_t>(wide) ^ static_cast<std::uint64_t>(wide >> 64);
    b_ = (b_ + word) * 0xD6E8FEB86659FD93ULL;
    b_ ^= b_ >> 32;
  }

  std::uint64_t a_ = 0x243F6A8885A308D3ULL;
  std::uint64_t b_ = 0x13198A2E03707344ULL;
};

Fingerprint fingerprint(const Network& network, const BuildOptions& options) {
  Fingerprint print;
  const Network::Binary binary = network.to_binary();
  print.add(binary.structure);
  for (const core::Blob& weight : binary.weights) print.add(weight.bytes());
  print.add(std::as_bytes(std::span(&options.num_threads, 1)));
  return print;
}

/// Models between build and load. A build that is never loaded is forgotten after a few more.
class Kept {
 public:
  void put(const Fingerprint& print, const ov::CompiledModel& model) {
    const std::lock_guard lock(mutex_);
    models_.emplace_back(print, model);
    if (models_.size() > kCapacity) models_.pop_front();
  }
  std::optional<ov::CompiledModel> take(const Fingerprint& print) {
    const std::lock_guard lock(mutex_);
    const auto found =
        std::ranges::find(models_, print, [](const auto& entry) { return entry.first; });
    if (found == models_.end()) return std::nullopt;
    ov::CompiledModel model = found->second;
    models_.erase(found);
    return model;
  }
  bool empty() {
    const std::lock_guard lock(mutex_);
    return models_.empty();
  }

 private:
  static constexpr std::size_t kCapacity = 8;
  std::mutex mutex_;
  std::deque<std::pair<Fingerprint, ov::CompiledModel>> models_;
};

Kept& kept() {
  static Kept* const instance = new Kept;
  return *instance;
}

std::string cache_key(const Network& network, const BuildOptions& options) {
  static const std::string own_build = core::build_id(reinterpret_cast<const void*>(&cache_key));
  std::vector<std::string> circumstances = {own_build, full_version(), cpu_isa(), cpu_model()};
  for (const auto& [name, value] : properties(network, options)) {
    circumstances.push_back(text(name, '=', value.as<std::string>()));
  }
  return core::engine_cache_key("openvino", network, circumstances);
}

ov::CompiledModel compile(const Network& network, const BuildOptions& options) {
  try {
    return runtime_core().compile_model(to_model(network), kDevice, properties(network, options));
  } catch (const core::Error&) {
    throw;
  } catch (const std::exception& error) {
    throw core::internal_error("openvino could not build the engine: ", one_line(error));
  }
}

/// Reads memory in place.
class MemoryBuffer final : public std::streambuf {
 public:
  explicit MemoryBuffer(std::span<const std::byte> bytes) {
    // A get area is never written to.
    char* begin = const_cast<char*>(reinterpret_cast<const char*>(bytes.data()));
    setg(begin, begin, begin + bytes.size());
  }

 protected:
  pos_type seekoff(off_type offset, std::ios_base::seekdir from, std::ios_base::openmode) override {
    const char* base = from == std::ios_base::beg   ? eback()
                       : from == std::ios_base::cur ? gptr()
                                                    : egptr();
    const off_type target = (base - eback()) + offset;
    if (target < 0 || target > egptr() - eback()) return pos_type(off_type(-1));
    setg(eback(), eback() + target, egptr());
    return target;
  }
  pos_type seekpos(pos_type position, std::ios_base::openmode mode) override {
    return seekoff(position, std::ios_base::beg, mode);
  }
};

/// The blob as a model; nothing where this OpenVINO cannot read it.
std::optional<ov::CompiledModel> import(const core::Blob& blob, const Network& network,
                                        const BuildOptions& options) {
  try {
    MemoryBuffer buffer(blob.bytes());
    std::istream stream(&buffer);
    return runtime_core().import_model(stream, kDevice, properties(network, options));
  } catch (const std::exception& error) {
    core::log_warning("openvino: compiled blob in the cache refused, building again: ",
                      one_line(error));
    return std::nullopt;
  }
}

ov::CompiledModel compile_with_cache(const Network& network, const BuildOptions& options) {
  if (options.cache_dir.empty()) return compile(network, options);
  const core::EngineCache cache(options.cache_dir);
  const std::string key = cache_key(network, options);
  if (const auto blob = cache.find(key)) {
    if (auto model = import(*blob, network, options)) return *std::move(model);
    cache.remove(key);
  }
  ov::CompiledModel model = compile(network, options);
  std::ostringstream stream;
  model.export_model(stream);
  const std::string_view bytes = stream.view();
  cache.put(key, std::as_bytes(std::span(bytes)));
  return model;
}

}  // namespace

std::string full_version() { return ov::get_openvino_version().buildNumber; }

std::string short_version() {
  const std::string full = full_version();
  return full.substr(0, full.find('-'));
}

ov::CompiledModel compile_and_keep(const Network& network, const BuildOptions& options) {
  ov::CompiledModel model = compile_with_cache(network, options);
  kept().put(fingerprint(network, options), model);
  return model;
}

ov::CompiledModel take_or_compile(const Network& network, const BuildOptions& options) {
  if (!kept().empty()) {
    if (auto model = kept().take(fingerprint(network, options))) return *std::move(model);
  }
  return compile_with_cache(network, options);
}

}  // namespace torch_tensorrt::engines::openvino
