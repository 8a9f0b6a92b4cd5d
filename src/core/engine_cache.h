#pragma once

// Compiled engines on disk, so that a network is compiled once on a machine and not once a process.

#include <cstdint>
#include <ctime>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/blob.h"
#include "core/export.h"
#include "core/network.h"

namespace torch_tensorrt::core {

/// The name of what `engine` compiles from `network`: a digest of the network's content, of this
/// project's version, and of `circumstances`: everything else that the result depends on (the
/// engine's version, the processor, options).
TORCHTRT_API std::string engine_cache_key(std::string_view engine, const Network& network,
                                          std::span<const std::string> circumstances);

/// What the linker wrote into the library or program that holds `address` to tell its builds apart
/// (the note NT_GNU_BUILD_ID, in hex): what an engine makes of a network changes with its code.
/// Empty where there is none.
TORCHTRT_API std::string build_id(const void* address);

/// A folder of compiled engines by key, used by any number of processes at once. Entries appear
/// whole or not at all and are readable by their owner only. A checksum over key and content is
/// verified before an entry is handed out; a damaged entry counts as absent and is removed. A
/// folder that another user owns or may write to is not used. Trouble with the folder costs the
/// cache, never the caller: it is logged.
class TORCHTRT_API EngineCache {
 public:
  static constexpr std::uintmax_t kDefaultCapacity = std::uintmax_t{4} << 30;  ///< bytes

  struct Entry {
    std::string key;
    std::uintmax_t size = 0;  ///< bytes of its file
    std::time_t used = 0;     ///< when it was last written or found
  };

  explicit EngineCache(std::filesystem::path folder, std::uintmax_t capacity = kDefaultCapacity)
      : folder_(std::move(folder)), capacity_(capacity) {}

  std::optional<Blob> find(const std::string& key) const;
  /// Removes the least recently used entries where the folder would exceed its capacity.
  void put(const std::string& key, std::span<const std::byte> blob) const;
  /// False where there is no such entry.
  bool remove(const std::string& key) const;

  /// The most recently used first.
  std::vector<Entry> entries() const;
  const std::filesystem::path& folder() const { return folder_; }
  std::uintmax_t capacity() const { return capacity_; }
  /// Why the folder is not used; empty where it is. A folder that is missing will be made.
  std::string refusal() const;

 private:
  std::filesystem::path path_of(const std::string& key) const;
  bool usable() const;
  void make_room(std::uintmax_t size) const;

  std::filesystem::path folder_;
  std::uintmax_t capacity_;
};

}  // namespace torch_tensorrt::core
