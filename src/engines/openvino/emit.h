#pragma once

// From one layer of the Network to OpenVINO operations: one `emit` per layer kind. A kind without
// one does not compile.

#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/network.h"
#include "openvino/core/model.hpp"
#include "openvino/op/ops.hpp"

namespace torch_tensorrt::engines::openvino {

using Out = ov::Output<ov::Node>;
using Outs = std::vector<Out>;
namespace op = ov::op;

/// One layer on its way into the ov::Model.
class Site {
 public:
  /// `values`: what was emitted so far, by ValueId.
  Site(const core::Network& network, const core::Node& node, Outs operands, const Outs& values)
      : network_(network), node_(node), operands_(std::move(operands)), values_(values) {}

  bool has(std::size_t i) const {
    return i < node_.inputs.size() && node_.inputs[i] != core::kAbsent;
  }
  const Out& in(std::size_t i) const { return operands_.at(i); }
  const Outs& operands() const { return operands_; }
  std::size_t arity() const { return operands_.size(); }
  const core::TensorType& type(std::size_t i) const { return network_.type(node_.inputs.at(i)); }
  const core::TensorType& result(std::size_t i = 0) const {
    return network_.type(node_.outputs.at(i));
  }
  core::DType dtype() const { return type(0).dtype; }
  int rank() const { return type(0).rank(); }
  /// The data of a constant operand, else nullptr.
  const core::Tensor* constant(std::size_t i) const {
    return network_.constant(node_.inputs.at(i));
  }
  /// The numbers of a host operand, where all are known.
  std::optional<core::Ints> numbers(std::size_t i) const;
  /// What stands for another value of the network, or nullptr where nothing does yet.
  const Out* emitted(core::ValueId value) const {
    return value < values_.size() && values_[value].get_node() ? &values_[value] : nullptr;
  }
  /// How often an operand is read, results of the network among the reads.
  std::ptrdiff_t reads_of(std::size_t i) const;
  const core::Network& network() const { return network_; }
  const core::Node& node() const { return node_; }

 private:
  const core::Network& network_;
  const core::Node& node_;
  Outs operands_;
  const Outs& values_;
};

/// The elements of a content, where all are known.
std::optional<core::Ints> numbers_of(const core::Content* content);

ov::element::Type element_type(core::DType dtype);
ov::PartialShape partial_shape(const core::Dims& dims);

/// A constant over the tensor's own memory, seen with `shape`.
Out share(const core::Tensor& tensor, const core::Ints& shape);
/// (x W) s as x (W s), where operand `product` is x W and read here alone, W are weights in eight
/// bits, and s, the other operand, has a number for each column. OpenVINO would do it by itself,
/// and compute W in floats then.
std::optional<Out> with_scaled_weights(const Site& site, std::size_t product);
/// An i64 vector.
Out vector_of(const core::Ints& values);
/// An i64 scalar.
Out scalar_of(std::int64_t value);
/// A constant of type `type` and rank 0.
Out number(double value, const ov::element::Type& type);
/// A constant of x's type and of x's rank, all dimensions 1.
Out number_like(double value, const Out& x);

template <typename Op, typename... Args>
Out make(Args&&... args) {
  return std::make_shared<Op>(std::forward<Args>(args)...)->output(0);
}
inline Outs outputs_of(const std::shared_ptr<ov::Node>& node) { return node->outputs(); }

/// OpenVINO's message without its line breaks.
std::string one_line(const std::exception& error);

/// 0, 1, .. count-1, from `first` on.
core::Ints iota(int count, std::int64_t first = 0);
Out reshape(const Out& x, const core::Ints& shape);
/// As reshape, where 0 copies the dimension of x and -1 is inferred.
Out reshape_copying(const Out& x, const core::Ints& shape);
Out transpose(const Out& x, const core::Ints& perm);
Out unsqueeze(const Out& x, const core::Ints& axes);
Out slice(const Out& x, std::int64_t axis, std::int64_t start, std::int64_t stop,
          std::int64_t step = 1);
Out concat(const Outs& xs, std::int64_t axis);
/// Dimension `axis` of x as an i64 scalar, or vector of one.
Out dim(const Out& x, std::int64_t axis);
Out dim_vector(const Out& x, std::int64_t axis);
/// 0, 1, .. count-1 as `type`; count an i64 scalar, negative as 0.
Out counting(const Out& count, const ov::element::Type& type);
Out convert(const Out& x, const ov::element::Type& type);
/// The constant that x computes where all its operands are constants, else x.
Out folded(const Out& x);
/// A vector [C] as [1, C, 1, ..] of `rank` dimensions with C at `axis`; shares memory when it is a
/// constant.
Out along_axis(const Site& site, std::size_t operand, int rank, std::int64_t axis);

inline Out add(const Out& a, const Out& b) { return make<op::v1::Add>(a, b); }
inline Out sub(const Out& a, const Out& b) { return make<op::v1::Subtract>(a, b); }
inline Out mul(const Out& a, const Out& b) { return make<op::v1::Multiply>(a, b); }
inline Out div(const Out& a, const Out& b) {
  return make<op::v1::Divide>(a, b, /*pythondiv=*/false);
}
inline Out select(const Out& condition, const Out& a, const Out& b) {
  return make<op::v1::Select>(condition, a, b);
}

#define TORCHTRT_OPENVINO_EMIT(Kind) Outs emit(const core::Kind& layer, const Site& site)
TORCHTRT_OPENVINO_EMIT(ShapeOf);
TORCHTRT_OPENVINO_EMIT(Range);
TORCHTRT_OPENVINO_EMIT(Random);
TORCHTRT_OPENVINO_EMIT(Unary);
TORCHTRT_OPENVINO_EMIT(Activation);
TORCHTRT_OPENVINO_EMIT(PRelu);
TORCHTRT_OPENVINO_EMIT(Binary);
TORCHTRT_OPENVINO_EMIT(Compare);
TORCHTRT_OPENVINO_EMIT(Logical);
TORCHTRT_OPENVINO_EMIT(Select);
TORCHTRT_OPENVINO_EMIT(Cast);
TORCHTRT_OPENVINO_EMIT(Identity);
TORCHTRT_OPENVINO_EMIT(Reduce);
TORCHTRT_OPENVINO_EMIT(Softmax);
TORCHTRT_OPENVINO_EMIT(LogSoftmax);
TORCHTRT_OPENVINO_EMIT(TopK);
TORCHTRT_OPENVINO_EMIT(CumSum);
TORCHTRT_OPENVINO_EMIT(MatMul);
TORCHTRT_OPENVINO_EMIT(Einsum);
TORCHTRT_OPENVINO_EMIT(Conv);
TORCHTRT_OPENVINO_EMIT(Deconv);
TORCHTRT_OPENVINO_EMIT(Attention);
TORCHTRT_OPENVINO_EMIT(Rope);
TORCHTRT_OPENVINO_EMIT(KvUpdate);
TORCHTRT_OPENVINO_EMIT(Lstm);
TORCHTRT_OPENVINO_EMIT(Gru);
TORCHTRT_OPENVINO_EMIT(Rnn);
TORCHTRT_OPENVINO_EMIT(MaxPool);
TORCHTRT_OPENVINO_EMIT(AvgPool);
TORCHTRT_OPENVINO_EMIT(AdaptiveAvgPool);
TORCHTRT_OPENVINO_EMIT(Resize);
TORCHTRT_OPENVINO_EMIT(GridSample);
TORCHTRT_OPENVINO_EMIT(Lrn);
TORCHTRT_OPENVINO_EMIT(BatchNorm);
TORCHTRT_OPENVINO_EMIT(LayerNorm);
TORCHTRT_OPENVINO_EMIT(RmsNorm);
TORCHTRT_OPENVINO_EMIT(GroupNorm);
TORCHTRT_OPENVINO_EMIT(InstanceNorm);
TORCHTRT_OPENVINO_EMIT(Reshape);
TORCHTRT_OPENVINO_EMIT(Transpose);
TORCHTRT_OPENVINO_EMIT(Squeeze);
TORCHTRT_OPENVINO_EMIT(Unsqueeze);
TORCHTRT_OPENVINO_EMIT(Broadcast);
TORCHTRT_OPENVINO_EMIT(Concat);
TORCHTRT_OPENVINO_EMIT(Split);
TORCHTRT_OPENVINO_EMIT(Slice);
TORCHTRT_OPENVINO_EMIT(Pad);
TORCHTRT_OPENVINO_EMIT(Tile);
TORCHTRT_OPENVINO_EMIT(Flip);
TORCHTRT_OPENVINO_EMIT(Roll);
TORCHTRT_OPENVINO_EMIT(ReverseSequence);
TORCHTRT_OPENVINO_EMIT(DepthToSpace);
TORCHTRT_OPENVINO_EMIT(SpaceToDepth);
TORCHTRT_OPENVINO_EMIT(Gather);
TORCHTRT_OPENVINO_EMIT(GatherElements);
TORCHTRT_OPENVINO_EMIT(GatherNd);
TORCHTRT_OPENVINO_EMIT(ScatterElements);
TORCHTRT_OPENVINO_EMIT(ScatterNd);
TORCHTRT_OPENVINO_EMIT(OneHot);
TORCHTRT_OPENVINO_EMIT(NonZero);
TORCHTRT_OPENVINO_EMIT(Nms);
TORCHTRT_OPENVINO_EMIT(Quantize);
TORCHTRT_OPENVINO_EMIT(Dequantize);
TORCHTRT_OPENVINO_EMIT(Loop);
TORCHTRT_OPENVINO_EMIT(If);
TORCHTRT_OPENVINO_EMIT(Assert);
TORCHTRT_OPENVINO_EMIT(Plugin);
#undef TORCHTRT_OPENVINO_EMIT

}  // namespace torch_tensorrt::engines::openvino
