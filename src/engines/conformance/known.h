#pragma once

// What an engine is known not to do. A test's name is
// "<kind>/<row>/<dtype>/<static|dynamic>[/reload|/threads]"; in a pattern, * stands for any
// characters.

#include <span>
#include <string_view>

namespace torch_tensorrt::engines::conformance {

struct Known {
  std::string_view pattern;
  std::string_view reason;
};

struct KnownTable {
  std::string_view engine;
  /// For good: the plugin's supports() says no to each of these tests, and to no other.
  std::span<const Known> unsupported;
  /// For now: these tests fail. One that passes fails the run, so that the list shrinks.
  std::span<const Known> expected_failures;
};

/// The table of an engine; empty lists for one that has none.
KnownTable known_table(std::string_view engine);

/// Does the name fit the pattern?
bool fits(std::string_view name, std::string_view pattern);

}  // namespace torch_tensorrt::engines::conformance
