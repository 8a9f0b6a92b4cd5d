// The container around manifest, network, weights and plans. docs/artifact-format.md describes
// every byte.

#include "core/artifact.h"

#include <algorithm>
#include <cstring>
#include <memory>

#include "core/artifact_manifest.h"
#include "core/bytes.h"
#include "core/error.h"
#include "core/infer.h"

namespace torch_tensorrt::core {
namespace {

constexpr std::array<std::uint8_t, 8> kMagic = {0x89, 'T', 'R', 'T', '\r', '\n', 0x1a, '\n'};
constexpr std::uint16_t kMajor = 1, kMinor = 0;
constexpr std::uint32_t kHeaderSize = 64, kEntrySize = 72, kDigestSize = 32;
constexpr std::uint32_t kCritical = 1;
constexpr std::size_t kMaxSections = 4096;
constexpr std::size_t kWeightAlignment = 64;

enum Kind : std::uint32_t { manifest_kind = 1, network_kind = 2, weights_kind = 3, plan_kind = 4 };

std::uint32_t crc32c(std::span<const std::byte> bytes) {
  std::uint32_t crc = 0xffffffff;
  for (const std::byte b : bytes) {
    crc ^= std::to_integer<std::uint32_t>(b);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1u) != 0 ? 0x82f63b78u : 0u);
  }
  return ~crc;
}

std::uint64_t rounded_up(std::uint64_t value, std::uint64_t alignment) {
  return (value + alignment - 1) / alignment * alignment;
}

bool all_zero(std::span<const std::byte> bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::byte b) { return b == std::byte{0}; });
}

struct Section {
  std::uint32_t kind = 0, flags = kCritical, alignment = 8;
  std::uint64_t offset = 0, size = 0;
  std::array<std::byte, 32> digest{};
};

// ---- writing ----

class Writer {
 public:
  explicit Writer(std::size_t section_count) {
    out_.raw(std::vector<std::byte>(kHeaderSize + section_count * kEntrySize + kDigestSize));
  }

  /// `write` appends the section's bytes.
  template <typename Write>
  void section(Kind kind, std::uint32_t alignment, Write write) {
    out_.align(alignment);
    Section section{kind, kCritical, alignment, out_.size(), 0, {}};
    write(out_);
    section.size = out_.size() - section.offset;
    section.digest = sha256(out_.bytes().subspan(section.offset));
    sections_.push_back(section);
  }

  std::vector<std::byte> finish() {
    ByteWriter head;
    head.raw(std::as_bytes(std::span(kMagic)));
    head.number(kMajor);
    head.number(kMinor);
    head.number(kHeaderSize);
    head.number(std::uint32_t{0});
    head.number(static_cast<std::uint32_t>(sections_.size()));
    head.number(static_cast<std::uint64_t>(out_.size()));
    head.number(std::uint64_t{kHeaderSize});
    head.raw(std::array<std::byte, 20>{});
    head.number(crc32c(head.bytes()));
    for (const Section& s : sections_) {
      head.number(s.kind);
      head.number(s.flags);
      head.number(s.offset);
      head.number(s.size);
      head.number(s.size);
      head.number(s.alignment);
      head.number(std::uint32_t{0});
      head.raw(s.digest);
    }
    head.raw(sha256(head.bytes()));
    std::vector<std::byte> bytes = out_.take();
    std::copy(head.bytes().begin(), head.bytes().end(), bytes.begin());
    return bytes;
  }

 private:
  ByteWriter out_;
  std::vector<Section> sections_;
};

// ---- reading ----

std::vector<Section> read_table(std::span<const std::byte> bytes) {
  ByteReader in(bytes);
  const auto magic = in.raw(kMagic.size());
  if (std::memcmp(magic.data(), kMagic.data(), kMagic.size()) != 0)
    throw incompatible("no magic number at offset 0");
  const auto header = bytes.first(std::min<std::size_t>(bytes.size(), kHeaderSize));
  if (header.size() < kHeaderSize)
    throw incompatible("truncated: ", bytes.size(), " bytes, expected at least 64");
  ByteReader crc(header.last(4), kHeaderSize - 4);
  const auto stored = crc.number<std::uint32_t>(), computed = crc32c(header.first(kHeaderSize - 4));
  if (stored != computed)
    throw incompatible("header check at offset 60 is ", stored, ", expected ", computed);
  const auto expect = [&](auto expected, std::string_view what) {
    const std::size_t at = in.offset();
    const auto found = in.number<decltype(expected)>();
    if (found != expected)
      throw incompatible(what, " at offset ", at, " is ", found, ", expected ", expected);
  };
  expect(kMajor, "format version");
  in.raw(sizeof kMinor);  // newer minors differ in what may be ignored, or in what is refused below
  expect(kHeaderSize, "header length");
  expect(std::uint32_t{0}, "flags");
  const auto count = in.number<std::uint32_t>();
  expect(static_cast<std::uint64_t>(bytes.size()), "total length");
  expect(std::uint64_t{kHeaderSize}, "table offset");
  if (!all_zero(in.raw(20))) throw incompatible("reserved bytes at offset 40 are not zero");
  if (count == 0 || count > kMaxSections)
    throw incompatible("section count is ", count, ", expected 1..", kMaxSections);

  ByteReader table(bytes.subspan(kHeaderSize), kHeaderSize);
  std::vector<Section> sections;
  for (std::uint32_t i = 0; i < count; ++i) {
    ByteReader entry(table.raw(kEntrySize), kHeaderSize + i * kEntrySize);
    const std::size_t at = entry.offset();
    Section& s = sections.emplace_back();
    s.kind = entry.number<std::uint32_t>();
    s.flags = entry.number<std::uint32_t>();
    s.offset = entry.number<std::uint64_t>();
    s.size = entry.number<std::uint64_t>();
    const auto raw_size = entry.number<std::uint64_t>();
    s.alignment = entry.number<std::uint32_t>();
    const auto reserved = entry.number<std::uint32_t>();
    std::ranges::copy(entry.raw(kDigestSize), s.digest.begin());
    const bool aligned =
        s.alignment >= 8 && s.alignment <= 65536 && (s.alignment & (s.alignment - 1)) == 0;
    if ((s.flags & ~kCritical) != 0 || reserved != 0 || raw_size != s.size || !aligned) {
      throw incompatible("section entry at offset ", at, " has unknown flags, sizes or alignment");
    }
  }
  const std::size_t covered = table.offset();
  if (!std::ranges::equal(table.raw(kDigestSize), sha256(bytes.first(covered)))) {
    throw incompatible("digest of header and table at offset ", covered, " does not match");
  }
  return sections;
}

void check_sections(std::span<const std::byte> bytes, const std::vector<Section>& sections) {
  std::uint64_t end = kHeaderSize + sections.size() * kEntrySize + kDigestSize;
  std::uint32_t last_kind = 0;
  for (const Section& s : sections) {
    const std::uint64_t expected = rounded_up(end, s.alignment);
    if (s.offset != expected || s.offset > bytes.size() || s.size > bytes.size() - s.offset) {
      throw incompatible("section at offset ", s.offset, " of ", s.size, " bytes, expected offset ",
                         expected, " and an end within ", bytes.size());
    }
    if (!all_zero(bytes.subspan(end, s.offset - end)))
      throw incompatible("padding before offset ", s.offset, " is not zero");
    const bool known = manifest_kind <= s.kind && s.kind <= plan_kind;
    if (!known && (s.flags & kCritical) != 0) {
      throw incompatible("section kind ", s.kind, " at offset ", s.offset,
                         " is unknown to this version, and critical");
    }
    const bool ordered =
        !known || s.kind > last_kind || (s.kind == plan_kind && last_kind == plan_kind);
    if (!ordered)
      throw incompatible("section kind ", s.kind, " at offset ", s.offset,
                         " is out of order or occurs twice");
    if (known) last_kind = s.kind;
    end = s.offset + s.size;
  }
  if (end != bytes.size())
    throw incompatible(bytes.size() - end, " unexpected bytes at offset ", end);
  for (const Section& s : sections) {
    if (sha256(bytes.subspan(s.offset, s.size)) != s.digest) {
      throw incompatible("digest of the section at offset ", s.offset,
                         " does not match: the data are damaged");
    }
  }
}

std::optional<Blob> find(const Blob& bytes, const std::vector<Section>& sections, Kind kind) {
  for (const Section& s : sections) {
    if (s.kind == kind) return bytes.slice(s.offset, s.size);
  }
  return std::nullopt;
}

std::vector<Blob> weight_views(const Manifest& manifest, const std::optional<Blob>& section) {
  std::vector<Blob> out;
  const Blob whole = section.value_or(Blob());
  std::uint64_t end = 0;
  for (const auto& [offset, size] : manifest.weights) {
    if (offset != rounded_up(end, kWeightAlignment) || offset > whole.size() ||
        size > whole.size() - offset) {
      throw incompatible("weight at offset ", offset, " of ", size, " bytes, expected offset ",
                         rounded_up(end, kWeightAlignment), " and an end within ", whole.size());
    }
    if (!all_zero(whole.bytes().subspan(end, offset - end)))
      throw incompatible("padding between weights is not zero");
    out.push_back(whole.slice(offset, size));
    end = offset + size;
  }
  if (end != whole.size())
    throw incompatible(whole.size() - end, " bytes of the weights belong to no weight");
  return out;
}

/// Types of the network's ends are the artifact's.
void check_ends(const Network& network, const std::vector<IoEntry>& entries,
                const std::vector<ValueId>& values, std::string_view what) {
  if (entries.size() != values.size()) {
    throw incompatible("artifact lists ", entries.size(), " ", what, ", its network has ",
                       values.size());
  }
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (entries[i].type == network.type(values[i])) continue;
    throw incompatible("artifact lists ", what, " '", entries[i].name, "' as ", entries[i].type,
                       ", its network has ", network.type(values[i]));
  }
}

void check_ends(const Artifact& artifact) {
  if (!artifact.network) return;
  check_ends(*artifact.network, artifact.inputs, artifact.network->inputs(), "inputs");
  check_ends(*artifact.network, artifact.outputs, artifact.network->outputs(), "outputs");
}

/// Elements are read in place, so the first byte must be aligned for any of them.
Blob aligned(const Blob& bytes) {
  if (reinterpret_cast<std::uintptr_t>(bytes.data()) % alignof(std::max_align_t) == 0) return bytes;
  return Blob::of({bytes.bytes().begin(), bytes.bytes().end()});
}

}  // namespace

std::vector<std::byte> Artifact::to_bytes() const {
  check_ends(*this);
  Manifest manifest{name, producer, preferred_engine, alternates, inputs, outputs, {}, {}};
  for (const Plan& plan : plans)
    manifest.plans.push_back({plan.engine, plan.version, plan.device, {}});
  Network::Binary binary;
  if (network) binary = network->to_binary();
  std::uint64_t end = 0;
  for (const Blob& weight : binary.weights) {
    const std::uint64_t offset = rounded_up(end, kWeightAlignment);
    manifest.weights.emplace_back(offset, weight.size());
    end = offset + weight.size();
  }
  Writer writer(1 + (network ? 2u : 0u) + plans.size());
  writer.section(manifest_kind, 8, [&](ByteWriter& out) { out.text(write_manifest(manifest)); });
  if (network) {
    writer.section(network_kind, 8, [&](ByteWriter& out) { out.raw(binary.structure); });
    writer.section(weights_kind, 4096, [&](ByteWriter& out) {
      out.reserve(out.size() + end);
      for (const Blob& weight : binary.weights) {
        out.align(kWeightAlignment);
        out.raw(weight.bytes());
      }
    });
  }
  for (const Plan& plan : plans) {
    writer.section(plan_kind, 4096, [&](ByteWriter& out) { out.raw(plan.payload.bytes()); });
  }
  return writer.finish();
}

Artifact Artifact::from_bytes(const Blob& given) {
  try {
    const Blob bytes = aligned(given);
    const std::vector<Section> sections = read_table(bytes.bytes());
    check_sections(bytes.bytes(), sections);
    const std::optional<Blob> text = find(bytes, sections, manifest_kind);
    if (!text) throw incompatible("no manifest");
    Manifest manifest = read_manifest({reinterpret_cast<const char*>(text->data()), text->size()});
    Artifact out{std::move(manifest.name),
                 std::move(manifest.producer),
                 std::move(manifest.preferred_engine),
                 manifest.alternates,
                 std::move(manifest.inputs),
                 std::move(manifest.outputs),
                 std::nullopt,
                 std::move(manifest.plans)};
    std::size_t plan = 0;
    for (const Section& s : sections) {
      if (s.kind != plan_kind) continue;
      if (plan < out.plans.size()) out.plans[plan].payload = bytes.slice(s.offset, s.size);
      ++plan;
    }
    if (plan != out.plans.size()) {
      throw incompatible(plan, " plan sections, expected ", out.plans.size(),
                         " as in the manifest");
    }
    const std::vector<Blob> weights = weight_views(manifest, find(bytes, sections, weights_kind));
    if (const std::optional<Blob> structure = find(bytes, sections, network_kind)) {
      // Beside the bytes that were given: their size, where it did not go into a copy, and a rest.
      const bool copied = bytes.data() != given.data();
      const std::size_t memory = kNetworkMemory + (copied ? 0 : bytes.size());
      out.network = Network::from_binary(structure->bytes(), weights, memory);
    }
    check_ends(out);
    return out;
  } catch (const Error& error) {
    throw incompatible("engine artifact: ", error.what());
  }
}

}  // namespace torch_tensorrt::core
