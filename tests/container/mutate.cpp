#include "container/mutate.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "core/error.h"

namespace container {

using torch_tensorrt::core::Artifact;
using torch_tensorrt::core::Blob;
using torch_tensorrt::core::Error;
using torch_tensorrt::core::ErrorKind;

namespace {

std::size_t below(std::size_t end, Random& random) {
  return random() % std::max<std::size_t>(end, 1);
}

std::uint64_t suspicious_number(Random& random) {
  constexpr std::array<std::uint64_t, 12> kNumbers = {0,
                                                      1,
                                                      2,
                                                      8,
                                                      16,
                                                      64,
                                                      0x7fffffff,
                                                      0xffffffff,
                                                      0x100000000,
                                                      0x7fffffffffffffff,
                                                      ~std::uint64_t{0},
                                                      std::uint64_t{1} << 40};
  return kNumbers[below(kNumbers.size(), random)] + below(3, random) - 1;
}

/// Overwrites at most `size` bytes at `offset` with a number.
void put_number(Bytes& bytes, std::size_t offset, std::size_t size, std::uint64_t number) {
  if (offset >= bytes.size()) return;
  std::memcpy(bytes.data() + offset, &number,
              std::min({size, bytes.size() - offset, sizeof number}));
}

void edit_once(Bytes& bytes, Random& random) {
  const std::size_t at = below(bytes.size(), random);
  const auto position = bytes.begin() + static_cast<std::ptrdiff_t>(at);
  const auto length =
      static_cast<std::ptrdiff_t>(std::min(1 + below(16, random), bytes.size() - at));
  switch (random() % 6) {
    case 0:
      bytes[at] ^= static_cast<std::byte>(1u << (random() % 8));
      return;
    case 1:
      bytes[at] = static_cast<std::byte>(random());
      return;
    case 2:
      put_number(bytes, at, std::size_t{1} << (random() % 4), suspicious_number(random));
      return;
    case 3:
      bytes.erase(position, position + length);
      return;
    case 4: {
      const Bytes copy(position, position + length);
      const auto target = bytes.begin() + static_cast<std::ptrdiff_t>(below(bytes.size(), random));
      bytes.insert(target, copy.begin(), copy.end());
      return;
    }
    default:
      std::reverse(position, position + length);
  }
}

/// One number of the header or the table.
void mutate_head(Bytes& bytes, Random& random) {
  const std::size_t sections = sections_of(bytes).size();
  const bool header = sections == 0 || random() % 4 == 0;
  const std::size_t base = header ? 8 : kHeader + below(sections, random) * kEntry;
  const std::size_t offset = base + 4 * below(header ? 13 : 10, random);
  put_number(bytes, offset, 4 << (random() % 2), suspicious_number(random));
}

void mutate_sections(std::vector<Section>& sections, Random& random) {
  const std::size_t at = below(sections.size(), random);
  Section& section = sections[at];
  switch (random() % 5) {
    case 0:
      section.kind = static_cast<std::uint32_t>(random() % 6);
      return;
    case 1:
      section.flags = static_cast<std::uint32_t>(random() % 4);
      return;
    case 2:
      section.alignment = 1u << (random() % 17);
      return;
    case 3:
      std::swap(section, sections[below(sections.size(), random)]);
      return;
    default:
      if (random() % 2 == 0) {
        sections.erase(sections.begin() + static_cast<std::ptrdiff_t>(at));
      } else {
        sections.push_back(Section(section));
      }
  }
}

void require(bool holds, std::string_view what) {
  if (!holds) throw std::logic_error(std::string(what));
}

}  // namespace

void mutate_bytes(Bytes& bytes, Random& random) {
  for (std::size_t edits = 1 + random() % 4; edits > 0; --edits) {
    if (bytes.empty()) bytes.push_back(static_cast<std::byte>(random()));
    edit_once(bytes, random);
  }
}

Bytes mutate(std::span<const std::byte> container, Random& random, const ByteMutator& edit) {
  Bytes bytes(container.begin(), container.end());
  std::vector<Section> sections = sections_of(container);
  const std::size_t what = random() % 8;
  if (sections.empty() || what == 0) {
    edit(bytes, random);
    return bytes;
  }
  if (what == 1) {
    mutate_head(bytes, random);
    seal(bytes);
    return bytes;
  }
  if (what == 2) {
    mutate_sections(sections, random);
  } else {
    edit(sections[below(sections.size(), random)].content, random);
  }
  return forge(sections);
}

bool parses_as_promised(std::span<const std::byte> container) {
  Artifact artifact;
  // On the heap at its exact size, so that a sanitizer sees a byte read beyond it.
  const Blob bytes = Blob::of({container.begin(), container.end()});
  try {
    artifact = Artifact::from_bytes(bytes);
  } catch (const Error& error) {
    require(error.kind() == ErrorKind::incompatible, "refused with another kind of error");
    require(std::string_view(error.what()).starts_with("engine artifact: "),
            "refused with a text that does not say what was read");
    return false;
  }
  if (artifact.network) artifact.network->verify();
  const Bytes written = artifact.to_bytes();
  const Artifact again = Artifact::from_bytes(view(written));
  require(again.to_bytes() == written, "written and read again, it is another");
  if (artifact.network) {
    require(again.network->to_text() == artifact.network->to_text(),
            "written and read again, its network is another");
  }
  return true;
}

}  // namespace container
