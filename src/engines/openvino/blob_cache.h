#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>

#include "core/blob.h"

namespace torch_tensorrt::engines::openvino {

/// A folder of compiled blobs by key. Files carry a checksum that is verified before a blob is
/// handed out; a damaged file counts as absent and is removed. Files appear whole or not at all,
/// readable by their owner only. Trouble with the folder costs the cache, never the caller: it is
/// logged.
class BlobCache {
 public:
  static constexpr std::uintmax_t kDefaultCapacity = std::uintmax_t{4} << 30;  ///< bytes

  explicit BlobCache(std::filesystem::path folder, std::uintmax_t capacity = kDefaultCapacity)
      : folder_(std::move(folder)), capacity_(capacity) {}

  std::optional<core::Blob> find(const std::string& key) const;
  /// Removes the least recently used files where the folder would exceed its capacity.
  void put(const std::string& key, std::span<const std::byte> blob) const;
  void remove(const std::string& key) const;

 private:
  std::filesystem::path path_of(const std::string& key) const;
  void make_room(std::uintmax_t size) const;

  std::filesystem::path folder_;
  std::uintmax_t capacity_;
};

}  // namespace torch_tensorrt::engines::openvino
