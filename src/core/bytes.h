#pragma once

// Little-endian bytes: a growing writer, and a reader that checks every length before it reads or
// allocates.

#include <bit>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

#include "core/error.h"

namespace torch_tensorrt::core {

static_assert(std::endian::native == std::endian::little,
              "the formats are little-endian and copied as they are");

class ByteWriter {
 public:
  template <typename T>
    requires std::is_arithmetic_v<T>
  void number(T value) {
    const auto* raw = reinterpret_cast<const std::byte*>(&value);
    bytes_.insert(bytes_.end(), raw, raw + sizeof value);
  }
  void raw(std::span<const std::byte> bytes) {
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  }
  void text(std::string_view s) { raw(std::as_bytes(std::span(s))); }
  /// Zeros up to a multiple of `alignment`.
  void align(std::size_t alignment) {
    bytes_.resize((bytes_.size() + alignment - 1) / alignment * alignment);
  }

  template <typename T>
  void overwrite(std::size_t offset, T value) {
    std::memcpy(bytes_.data() + offset, &value, sizeof value);
  }
  std::size_t size() const { return bytes_.size(); }
  std::span<const std::byte> bytes() const { return bytes_; }
  std::vector<std::byte> take() { return std::move(bytes_); }
  void reserve(std::size_t size) { bytes_.reserve(size); }

 private:
  std::vector<std::byte> bytes_;
};

class ByteReader {
 public:
  /// `origin` is the position of `bytes` in the whole, for messages.
  explicit ByteReader(std::span<const std::byte> bytes, std::size_t origin = 0)
      : bytes_(bytes), origin_(origin) {}

  std::size_t offset() const { return origin_ + at_; }
  std::size_t remaining() const { return bytes_.size() - at_; }

  std::span<const std::byte> raw(std::uint64_t size) {
    if (size > remaining()) {
      throw incompatible("truncated at offset ", offset(), ": ", size, " bytes expected, ",
                         remaining(), " found");
    }
    const auto out = bytes_.subspan(at_, static_cast<std::size_t>(size));
    at_ += static_cast<std::size_t>(size);
    return out;
  }
  template <typename T>
    requires std::is_arithmetic_v<T>
  T number() {
    T value{};
    std::memcpy(&value, raw(sizeof value).data(), sizeof value);
    return value;
  }
  /// A count of things of at least `least` bytes each, which must still follow.
  std::size_t count(std::size_t least) {
    const std::size_t at = offset();
    const auto n = number<std::uint32_t>();
    if (n > remaining() / least) {
      throw incompatible("count at offset ", at, " is ", n, ", expected at most ",
                         remaining() / least, " in the remaining bytes");
    }
    return n;
  }
  bool flag() {
    const std::size_t at = offset();
    const auto value = number<std::uint8_t>();
    if (value > 1)
      throw incompatible("flag at offset ", at, " is ", int{value}, ", expected 0 or 1");
    return value == 1;
  }
  void expect_end() const {
    if (remaining() != 0) throw incompatible(remaining(), " unexpected bytes at offset ", offset());
  }

 private:
  std::span<const std::byte> bytes_;
  std::size_t origin_;
  std::size_t at_ = 0;
};

}  // namespace torch_tensorrt::core
