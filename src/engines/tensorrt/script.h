#pragma once

// What the emitter writes and the players replay: a flat list of calls on TensorRT's builder
// objects, under the names of TensorRT's Python API. Objects are numbered in the order in which
// calls give them; 0 is the network itself.

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/blob.h"
#include "core/dtype.h"
#include "core/layers.h"

namespace torch_tensorrt::engines::tensorrt {

using core::DType;
using core::Ints;

/// A layer, a tensor, a loop or a conditional that a call gave.
struct Ref {
  std::uint32_t id = 0;
  friend bool operator==(Ref, Ref) = default;
};
inline constexpr Ref kNetwork{0};
/// The registry of plugins, as the network's builder sees it.
inline constexpr Ref kRegistry{0xffffffff};

/// A member of one of TensorRT's enums: ElementWiseOperation.SUM.
struct Symbol {
  std::string_view type, member;
};
/// Constant data: an entry of Script::weights, or none where `index` is -1.
struct WeightsRef {
  std::int64_t index = -1;
};
struct None {};

/// A field of a plugin: characters, or numbers as entries of Script::weights.
struct Field {
  std::string name;
  std::variant<std::string, WeightsRef> value;
};

using Argument = std::variant<None, bool, std::int64_t, double, std::string, Symbol, DType, Ints,
                              Ref, std::vector<Ref>, WeightsRef, std::vector<Field>>;

struct Step {
  enum class Kind : std::uint8_t { call, set };
  Kind kind = Kind::call;
  Ref result;                       ///< of calls that give an object
  Ref object;                       ///< whose method or attribute
  std::string name;                 ///< "add_convolution_nd", "stride_nd"
  std::vector<Argument> arguments;  ///< one for Kind::set
};

struct Weights {
  DType dtype = DType::f32;
  core::Blob bytes;
};

/// The ranges of one input for the optimization profile; of a host input its elements'.
struct Profile {
  std::string input;
  bool host = false;
  Ints min, opt, max;
};

struct Script {
  std::vector<Step> steps;
  std::vector<Weights> weights;
  std::vector<Profile> profiles;  ///< of dynamic and host inputs
  std::uint32_t object_count = 1;

  /// One line a step: `%3 = network.add_activation(%2, ActivationType.RELU)`,
  /// `%3.alpha = 0.1`; weights as `w0:f32[64]`.
  std::string to_text() const;
};

/// The script as JSON, for players outside of C++.
nlohmann::json to_json(const Script& script);

}  // namespace torch_tensorrt::engines::tensorrt
