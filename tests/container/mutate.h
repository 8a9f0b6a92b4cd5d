#pragma once

// Damage that knows the format: most mutants pass the checksums, so that they reach what lies
// behind them.

#include <functional>
#include <random>

#include "container/forge.h"

namespace container {

using Random = std::mt19937_64;
/// Changes some bytes, however it likes.
using ByteMutator = std::function<void(Bytes&, Random&)>;

/// A few random edits: flipped, replaced, removed, repeated bytes, and numbers that are often
/// wrong.
void mutate_bytes(Bytes& bytes, Random& random);

Bytes mutate(std::span<const std::byte> container, Random& random,
             const ByteMutator& bytes = mutate_bytes);

/// What must hold for any bytes: refused with Error(incompatible), or an artifact whose network is
/// sound and which is written and read again as itself. Throws std::logic_error saying what does
/// not. True where they were accepted.
bool parses_as_promised(std::span<const std::byte> container);

}  // namespace container
