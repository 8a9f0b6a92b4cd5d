#include "container/forge.h"

#include <algorithm>
#include <cstring>

#include "core/bytes.h"

namespace container {

using torch_tensorrt::core::ByteWriter;

namespace {

template <typename T>
T number_at(std::span<const std::byte> bytes, std::size_t offset) {
  T value{};
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

std::uint32_t crc32c(std::span<const std::byte> bytes) {
  std::uint32_t crc = 0xffffffff;
  for (const std::byte b : bytes) {
    crc ^= std::to_integer<std::uint32_t>(b);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1u) != 0 ? 0x82f63b78u : 0u);
  }
  return ~crc;
}

std::size_t section_count(std::span<const std::byte> container) {
  if (container.size() < kHeader + kDigest) return 0;
  const std::size_t room = (container.size() - kHeader - kDigest) / kEntry;
  return std::min<std::size_t>(number_at<std::uint32_t>(container, 20), room);
}

}  // namespace

std::vector<Section> sections_of(std::span<const std::byte> container) {
  std::vector<Section> sections(section_count(container));
  for (std::size_t i = 0; i < sections.size(); ++i) {
    const std::size_t entry = kHeader + i * kEntry;
    const auto offset = number_at<std::uint64_t>(container, entry + 8);
    const auto size = number_at<std::uint64_t>(container, entry + 16);
    const bool inside = offset <= container.size() && size <= container.size() - offset;
    const auto content = inside ? container.subspan(offset, size) : std::span<const std::byte>();
    sections[i] = {number_at<std::uint32_t>(container, entry),
                   number_at<std::uint32_t>(container, entry + 4),
                   std::clamp(number_at<std::uint32_t>(container, entry + 32), 1u, 65536u),
                   {content.begin(), content.end()}};
  }
  return sections;
}

Bytes forge(const std::vector<Section>& sections) {
  ByteWriter out;
  out.raw(Bytes(kHeader + sections.size() * kEntry + kDigest));
  std::vector<std::uint64_t> offsets;
  for (const Section& section : sections) {
    out.align(section.alignment);
    offsets.push_back(out.size());
    out.raw(section.content);
  }
  constexpr unsigned char kMagic[] = {0x89, 'T', 'R', 'T', '\r', '\n', 0x1a, '\n'};
  for (std::size_t i = 0; i < sizeof kMagic; ++i) out.overwrite(i, kMagic[i]);
  out.overwrite(8, std::uint16_t{1});
  out.overwrite(12, std::uint32_t{kHeader});
  out.overwrite(20, static_cast<std::uint32_t>(sections.size()));
  out.overwrite(24, std::uint64_t{out.size()});
  out.overwrite(32, std::uint64_t{kHeader});
  for (std::size_t i = 0; i < sections.size(); ++i) {
    const std::size_t entry = kHeader + i * kEntry;
    const std::uint64_t size = sections[i].content.size();
    out.overwrite(entry, sections[i].kind);
    out.overwrite(entry + 4, sections[i].flags);
    out.overwrite(entry + 8, offsets[i]);
    out.overwrite(entry + 16, size);
    out.overwrite(entry + 24, size);
    out.overwrite(entry + 32, sections[i].alignment);
  }
  Bytes bytes = out.take();
  seal(bytes);
  return bytes;
}

void seal(Bytes& container) {
  const std::size_t count = section_count(container);
  if (count == 0) return;
  const auto put = [&](std::size_t offset, std::span<const std::byte> digest) {
    std::ranges::copy(digest, container.begin() + static_cast<std::ptrdiff_t>(offset));
  };
  const std::span<const std::byte> view(container);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t entry = kHeader + i * kEntry;
    const auto offset = number_at<std::uint64_t>(view, entry + 8);
    const auto size = number_at<std::uint64_t>(view, entry + 16);
    if (offset > view.size() || size > view.size() - offset) continue;
    put(entry + 40, torch_tensorrt::core::sha256(view.subspan(offset, size)));
  }
  const std::uint32_t crc = crc32c(view.first(kHeader - 4));
  put(kHeader - 4, std::as_bytes(std::span(&crc, 1)));
  const std::size_t table_end = kHeader + count * kEntry;
  put(table_end, torch_tensorrt::core::sha256(view.first(table_end)));
}

Bytes bytes_of(std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

torch_tensorrt::core::Blob view(const Bytes& bytes) {
  return {nullptr, bytes.data(), bytes.size()};
}

}  // namespace container
