#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "core/network.h"
#include "engines/reference/tensors.h"

namespace torch_tensorrt::engines::reference {

/// A Network made ready to run: constants as tensors, random generators, and when each value dies.
/// Thread-safe: a run keeps its values to itself, and generators lock themselves.
class Program {
 public:
  /// Keeps its own copy of the network (weights are shared).
  Program(core::Network network, at::Device device);

  /// One evaluation, node by node; `inputs` in the network's order, on the program's device.
  Tensors run(Tensors inputs) const;

  const core::Network& network() const { return network_; }
  at::Device device() const { return device_; }
  /// The program of a loop's body or a branch of this network.
  const Program& body(const core::Network& body) const { return *bodies_.at(&body); }
  /// The generator of a random layer.
  const at::Generator& generator(const core::Node& node) const { return generators_.at(&node); }

 private:
  void prepare(const core::Node& node);
  void find_last_uses();

  core::Network network_;
  at::Device device_;
  std::map<core::ValueId, at::Tensor> constants_;
  std::map<const core::Node*, at::Generator> generators_;
  std::map<const core::Network*, std::unique_ptr<const Program>> bodies_;
  std::vector<std::vector<core::ValueId>>
      dead_after_;  ///< per node, the values that no later node reads
};

/// One layer being evaluated: its operands as tensors, by position.
class Call {
 public:
  Call(const Program& program, const core::Node& node, std::span<const at::Tensor> values)
      : program_(program), node_(node), values_(values) {}

  const Program& program() const { return program_; }
  const core::Node& node() const { return node_; }
  std::size_t size() const { return node_.inputs.size(); }
  bool has(std::size_t index) const {
    return index < size() && node_.inputs[index] != core::kAbsent;
  }
  const at::Tensor& operator[](std::size_t index) const { return values_[node_.inputs.at(index)]; }
  std::optional<at::Tensor> optional(std::size_t index) const;
  /// Operands from `first` on.
  Tensors from(std::size_t first) const;
  /// A host operand's elements.
  core::Ints ints(std::size_t index) const;
  std::int64_t integer(std::size_t index) const { return ints(index).at(0); }
  const core::TensorType& result_type(std::size_t index = 0) const {
    return program_.network().type(node_.outputs.at(index));
  }

 private:
  const Program& program_;
  const core::Node& node_;
  std::span<const at::Tensor> values_;
};

}  // namespace torch_tensorrt::engines::reference
