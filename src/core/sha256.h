#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace torch_tensorrt::core {

/// SHA-256 over bytes given in pieces.
class Sha256 {
 public:
  Sha256();
  void update(std::span<const std::byte> bytes);
  std::array<std::byte, 32> finish();

 private:
  using State = std::array<std::uint32_t, 8>;
  using Compress = void (*)(State& state, const std::byte* blocks, std::size_t count);
  static Compress best_compress();

  State state_;
  std::array<std::byte, 64> tail_{};
  std::size_t tail_size_ = 0;
  std::uint64_t total_ = 0;
  Compress compress_;
};

}  // namespace torch_tensorrt::core
