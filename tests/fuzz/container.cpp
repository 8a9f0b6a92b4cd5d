// libFuzzer's view of the container: bytes in, nothing but a refusal or a sound artifact out.
// docs/testing.md says how it is built and run.

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <span>

#include "container/mutate.h"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

namespace {

/// libFuzzer's own edits, which know what the program compares.
void edit(container::Bytes& bytes, container::Random& /*random*/) {
  const std::size_t size = bytes.size();
  bytes.resize(size + 64);
  bytes.resize(LLVMFuzzerMutate(reinterpret_cast<std::uint8_t*>(bytes.data()), size, bytes.size()));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  (void)container::parses_as_promised(std::as_bytes(std::span(data, size)));
  return 0;
}

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t max_size, unsigned seed) {
  container::Random random(seed);
  const auto bytes = std::as_bytes(std::span(data, size));
  const container::Bytes mutant =
      random() % 2 == 0 ? container::mutate(bytes, random, edit) : container::mutate(bytes, random);
  const std::size_t kept = std::min(mutant.size(), max_size);
  std::memcpy(data, mutant.data(), kept);
  return kept;
}
