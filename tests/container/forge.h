#pragma once

// Containers made by hand: what a writer would never write, with checks that match, so that a test
// gets past them.

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "core/artifact.h"

namespace container {

using Bytes = std::vector<std::byte>;

inline constexpr std::uint32_t kManifest = 1, kNetwork = 2, kWeights = 3, kPlan = 4;
inline constexpr std::size_t kHeader = 64, kEntry = 72, kDigest = 32;

struct Section {
  std::uint32_t kind = 0, flags = 1, alignment = 8;
  Bytes content;
};

/// The sections that the table names; those outside of the bytes are empty.
std::vector<Section> sections_of(std::span<const std::byte> container);
/// A container of these sections, whatever they are.
Bytes forge(const std::vector<Section>& sections);
/// Makes header check, table digest and section digests match what the bytes are, as far as the
/// table allows.
void seal(Bytes& container);

Bytes bytes_of(std::string_view text);
torch_tensorrt::core::Blob view(const Bytes& bytes);

}  // namespace container
