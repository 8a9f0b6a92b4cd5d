#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/blob.h"
#include "core/export.h"
#include "core/layers.h"
#include "core/shape.h"

namespace torch_tensorrt::core {

using ValueId = std::uint32_t;
/// An optional operand that is absent.
inline constexpr ValueId kAbsent = 0xffffffff;

/// Where a layer came from in the user's program; both may be empty.
struct Origin {
  std::string scope;     ///< module path, "layer1.0.conv1"
  std::string location;  ///< "model.py:41"
  friend bool operator==(const Origin&, const Origin&) = default;
};

struct Node {
  Layer layer;
  std::vector<ValueId>
      inputs;  ///< one per operand of the declaration; kAbsent for an absent optional one
  std::vector<ValueId> outputs;
  Origin origin;
};

/// Memory for a network that is read, beside its weights: tens of thousands of layers.
inline constexpr std::size_t kNetworkMemory = std::size_t{48} << 20;

/// The elements of a small integer or bool value (rank <= 1, at most 64 elements) as far as the
/// host can know them.
using Content = std::vector<Extent>;

/// The typed, layer-level program that engines consume: SSA, in topological order by construction.
/// Copying is cheap enough (weights are shared). Not thread-safe while being built; const use is.
class TORCHTRT_API Network {
 public:
  /// Appends a layer after checking it (numbered constraints of its kind) and inferring its result
  /// types. Throws Error(invalid_argument): "conv C3: weight has 3 input channels, expected 4 ...".
  std::vector<ValueId> add(Layer layer, std::span<const ValueId> inputs, Origin origin = {});
  void mark_output(ValueId value, std::string name);

  const std::vector<Node>& nodes() const { return nodes_; }
  /// Values of the input layers, in order.
  const std::vector<ValueId>& inputs() const { return inputs_; }
  const std::vector<ValueId>& outputs() const { return outputs_; }
  const std::vector<std::string>& output_names() const { return output_names_; }
  const std::string& input_name(std::size_t index) const;
  bool input_is_host(std::size_t index) const;
  const TensorType& type(ValueId value) const { return values_.at(value).type; }
  /// Host-known content of a value, or nullptr.
  const Content* content(ValueId value) const;
  /// The constant's data if the value is made by a constant layer, else nullptr.
  const Tensor* constant(ValueId value) const;
  const Node& producer(ValueId value) const { return nodes_.at(values_.at(value).producer); }
  std::size_t value_count() const { return values_.size(); }
  /// Number of layers that compute (neither input nor constant).
  std::size_t layer_count() const;

  /// Gives a constant other elements; dtype and dimensions stay. Throws Error(invalid_argument)
  /// where they differ, or `value` is no constant, or its elements decide sizes.
  void set_constant(ValueId value, Tensor tensor);

  /// Drops layers whose results are not used.
  void remove_dead();
  /// Checks the whole network again; throws Error(internal) naming the layer and the constraint.
  void verify() const;

  /// One line per layer with type, attributes and origin. Constants of more than 16 elements print
  /// a digest of their data; `parse` takes their bytes from `weights`.
  std::string to_text() const;
  using WeightLookup = std::function<Blob(std::string_view digest)>;
  static Network parse(std::string_view text, const WeightLookup& weights = {});

  /// Structure (without weight bytes) and the weights it refers to by index, deduplicated.
  struct Binary {
    std::vector<std::byte> structure;
    std::vector<Blob> weights;
  };
  Binary to_binary() const;
  /// Throws Error(incompatible) on any malformed byte, and where the network would take more than
  /// `memory` bytes beside its weights; never reads out of bounds.
  static Network from_binary(std::span<const std::byte> structure, std::span<const Blob> weights,
                             std::size_t memory = kNetworkMemory);
  /// SHA-256 (hex) over structure, types and weights; names and origins left out.
  std::string digest() const;

 private:
  struct ValueInfo {
    TensorType type;
    std::uint32_t producer = 0;
    std::optional<Content> content;
  };
  std::vector<Node> nodes_;
  std::vector<ValueInfo> values_;
  std::vector<ValueId> inputs_;
  std::vector<ValueId> outputs_;
  std::vector<std::string> output_names_;
};

}  // namespace torch_tensorrt::core
