#pragma once

// From one layer of the Network to TensorRT's builder calls: one `emit` per layer kind. A kind
// without one does not compile. Strongly typed: nothing is cast that is not written out.

#include <compare>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/network.h"
#include "engines/tensorrt/script.h"

namespace torch_tensorrt::engines::tensorrt {

/// A tensor of the network being written; unknown dimensions are -1.
struct Tensor {
  Ref ref;
  DType dtype = DType::f32;
  Ints dims;

  int rank() const { return static_cast<int>(dims.size()); }
};
using Tensors = std::vector<Tensor>;

/// Of TensorRT: which layers there are.
struct Version {
  int major = 10, minor = 0;
  friend auto operator<=>(const Version&, const Version&) = default;
};

/// Appends calls to a script, and knows the types of what they give.
class Writer {
 public:
  Writer(Script& script, Version version) : script_(script), version_(version) {}

  bool since(int major, int minor) const { return version_ >= Version{major, minor}; }

  // ---- calls ----
  Ref call(Ref object, std::string_view method, std::vector<Argument> arguments);
  Ref add(std::string_view method, std::vector<Argument> arguments) {
    return call(kNetwork, method, std::move(arguments));
  }
  /// A call without a result.
  void run(Ref object, std::string_view method, std::vector<Argument> arguments);
  void set(Ref object, std::string_view attribute, Argument value);
  void set_input(Ref layer, std::int64_t index, const Tensor& value) {
    run(layer, "set_input", {index, value.ref});
  }
  Tensor output(Ref layer, DType dtype, Ints dims, std::int64_t index = 0);
  WeightsRef weights(DType dtype, const core::Blob& bytes);
  /// The layer that was added last.
  Ref last_layer() const { return last_layer_; }

  // ---- constants ----
  Tensor constant(const core::Tensor& tensor, const Ints& dims);
  Tensor constant(const core::Tensor& tensor) { return constant(tensor, tensor.dims); }
  /// An i64 vector; the same numbers give the same tensor.
  Tensor ints(const Ints& values);
  Tensor scalar_i64(std::int64_t value);
  /// `rank` dimensions of 1.
  Tensor number(double value, DType dtype, int rank = 0);
  Tensor number_like(double value, const Tensor& x) { return number(value, x.dtype, x.rank()); }

  // ---- pointwise; equal ranks and dtypes ----
  Tensor elementwise(std::string_view operation, const Tensor& a, const Tensor& b);
  Tensor unary(std::string_view operation, const Tensor& x);
  Tensor activation(std::string_view type, const Tensor& x, std::optional<double> alpha = {},
                    std::optional<double> beta = {});
  Tensor select(const Tensor& condition, const Tensor& a, const Tensor& b);
  Tensor cast(const Tensor& x, DType to);
  Tensor identity(const Tensor& x);
  Tensor add(const Tensor& a, const Tensor& b) { return elementwise("SUM", a, b); }
  Tensor sub(const Tensor& a, const Tensor& b) { return elementwise("SUB", a, b); }
  Tensor mul(const Tensor& a, const Tensor& b) { return elementwise("PROD", a, b); }
  Tensor div(const Tensor& a, const Tensor& b) { return elementwise("DIV", a, b); }
  Tensor negate_bool(const Tensor& x) { return unary("NOT", x); }

  // ---- reductions ----
  Tensor reduce(std::string_view operation, const Tensor& x, const Ints& axes, bool keepdims);
  Tensor softmax(const Tensor& x, std::int64_t axis);
  Tensor matmul(const Tensor& a, const Tensor& b, bool transpose_a = false,
                bool transpose_b = false);

  // ---- layout; shapes as numbers (no -1 unless inferred) or as an i64 tensor ----
  Tensor reshape(const Tensor& x, const Ints& dims);
  /// `result` are the dimensions that the shape tensor gives, -1 where unknown.
  Tensor reshape(const Tensor& x, const Tensor& shape, Ints result);
  Tensor transpose(const Tensor& x, const Ints& perm);
  Tensor squeeze(const Tensor& x, const Ints& axes);
  Tensor unsqueeze(const Tensor& x, const Ints& axes);
  Tensor concat(const Tensors& xs, std::int64_t axis);
  /// Elements start, start+step, ..: `size` of them along each axis. One slot may be a tensor.
  struct SliceShape {
    Ints start, size, step;
    std::optional<Tensor> start_tensor, size_tensor, step_tensor;
    std::string_view mode;  ///< a SampleMode, or empty: STRICT_BOUNDS
    std::optional<Tensor> fill;
  };
  Tensor slice(const Tensor& x, const SliceShape& shape, Ints result);
  /// One axis, static bounds; the other axes whole.
  Tensor slice_axis(const Tensor& x, std::int64_t axis, std::int64_t start, std::int64_t size,
                    std::int64_t step = 1);
  /// Dimensions of 1 of x repeated up to `dims`, given as a tensor too where they are dynamic.
  Tensor broadcast(const Tensor& x, const Ints& dims, const std::optional<Tensor>& shape);
  Tensor gather(const Tensor& x, const Tensor& indices, std::int64_t axis);

  // ---- sizes ----
  /// i64 [rank].
  Tensor shape_of(const Tensor& x);
  /// Dimension `axis` of x as an i64 vector of one element.
  Tensor dim(const Tensor& x, std::int64_t axis);
  /// Dimensions as an i64 vector: those of `dims` that are -1 are read from the given tensors.
  struct DimOf {
    const Tensor* tensor = nullptr;
    std::int64_t axis = 0;
  };
  Tensor shape(const Ints& dims, const std::vector<DimOf>& sources);
  /// Element `index` of an i64 vector, as a vector of one.
  Tensor element(const Tensor& vector, std::int64_t index);

  Script& script() { return script_; }

 private:
  Script& script_;
  Version version_;
  Ref last_layer_;
  std::map<Ints, Tensor> ints_;
  std::map<const std::byte*, std::int64_t> weights_;
};

/// One layer on its way into the script.
class Site {
 public:
  /// Gives the tensor of a value of the network.
  using Source = std::function<Tensor(core::ValueId)>;
  Site(const core::Network& network, const core::Node& node, Source source, Writer& writer)
      : network_(network),
        node_(node),
        source_(std::move(source)),
        writer_(writer),
        operands_(node.inputs.size()) {}

  Writer& net() const { return writer_; }
  bool has(std::size_t i) const {
    return i < node_.inputs.size() && node_.inputs[i] != core::kAbsent;
  }
  /// The operand as a tensor, which constants become only where they are asked for.
  const Tensor& in(std::size_t i) const {
    std::optional<Tensor>& operand = operands_.at(i);
    if (!operand) operand = source_(node_.inputs[i]);
    return *operand;
  }
  std::size_t arity() const { return operands_.size(); }
  const core::TensorType& type(std::size_t i) const { return network_.type(node_.inputs.at(i)); }
  const core::TensorType& result(std::size_t i = 0) const {
    return network_.type(node_.outputs.at(i));
  }
  DType dtype() const { return type(0).dtype; }
  int rank() const { return type(0).rank(); }
  /// The dimensions of a result, -1 where they are dynamic.
  Ints result_dims(std::size_t i = 0) const;
  /// The data of a constant operand, else nullptr.
  const core::Tensor* constant(std::size_t i) const {
    return network_.constant(node_.inputs.at(i));
  }
  /// The numbers of a host operand, where all are known.
  std::optional<Ints> numbers(std::size_t i) const;
  const core::Network& network() const { return network_; }
  const core::Node& node() const { return node_; }
  /// Error(unsupported): "tensorrt: conv at model.py:41: <text>".
  template <typename... Args>
  [[nodiscard]] core::Error refuse(const Args&... args) const {
    return core::unsupported("tensorrt: ", where(), ": ", core::text(args...));
  }
  std::string where() const;

 private:
  const core::Network& network_;
  const core::Node& node_;
  Source source_;
  Writer& writer_;
  mutable std::vector<std::optional<Tensor>> operands_;
};

/// Dimensions as TensorRT has them: -1 where dynamic.
Ints dims_of(const core::Dims& dims);
/// The numbers of a host value, where all are known.
std::optional<Ints> numbers_of(const core::Content* content);
/// first, first+1, .. (count of them)
Ints iota(int count, std::int64_t first = 0);
using core::is_float;
/// TensorRT's set of axes.
std::int64_t axes_mask(const Ints& axes);

/// Writes a nested network (the body of a loop, a branch) whose inputs are `values`.
Tensors emit_body(const core::Network& body, const Tensors& values, Writer& writer);

#define TORCHTRT_TENSORRT_EMIT(Kind) Tensors emit(const core::Kind& layer, const Site& site)
TORCHTRT_TENSORRT_EMIT(ShapeOf);
TORCHTRT_TENSORRT_EMIT(Range);
TORCHTRT_TENSORRT_EMIT(Random);
TORCHTRT_TENSORRT_EMIT(Unary);
TORCHTRT_TENSORRT_EMIT(Activation);
TORCHTRT_TENSORRT_EMIT(PRelu);
TORCHTRT_TENSORRT_EMIT(Binary);
TORCHTRT_TENSORRT_EMIT(Compare);
TORCHTRT_TENSORRT_EMIT(Logical);
TORCHTRT_TENSORRT_EMIT(Select);
TORCHTRT_TENSORRT_EMIT(Cast);
TORCHTRT_TENSORRT_EMIT(Identity);
TORCHTRT_TENSORRT_EMIT(Reduce);
TORCHTRT_TENSORRT_EMIT(Softmax);
TORCHTRT_TENSORRT_EMIT(LogSoftmax);
TORCHTRT_TENSORRT_EMIT(TopK);
TORCHTRT_TENSORRT_EMIT(CumSum);
TORCHTRT_TENSORRT_EMIT(MatMul);
TORCHTRT_TENSORRT_EMIT(Einsum);
TORCHTRT_TENSORRT_EMIT(Conv);
TORCHTRT_TENSORRT_EMIT(Deconv);
TORCHTRT_TENSORRT_EMIT(Attention);
TORCHTRT_TENSORRT_EMIT(Rope);
TORCHTRT_TENSORRT_EMIT(KvUpdate);
TORCHTRT_TENSORRT_EMIT(Lstm);
TORCHTRT_TENSORRT_EMIT(Gru);
TORCHTRT_TENSORRT_EMIT(Rnn);
TORCHTRT_TENSORRT_EMIT(MaxPool);
TORCHTRT_TENSORRT_EMIT(AvgPool);
TORCHTRT_TENSORRT_EMIT(AdaptiveAvgPool);
TORCHTRT_TENSORRT_EMIT(Resize);
TORCHTRT_TENSORRT_EMIT(GridSample);
TORCHTRT_TENSORRT_EMIT(Lrn);
TORCHTRT_TENSORRT_EMIT(BatchNorm);
TORCHTRT_TENSORRT_EMIT(LayerNorm);
TORCHTRT_TENSORRT_EMIT(RmsNorm);
TORCHTRT_TENSORRT_EMIT(GroupNorm);
TORCHTRT_TENSORRT_EMIT(InstanceNorm);
TORCHTRT_TENSORRT_EMIT(Reshape);
TORCHTRT_TENSORRT_EMIT(Transpose);
TORCHTRT_TENSORRT_EMIT(Squeeze);
TORCHTRT_TENSORRT_EMIT(Unsqueeze);
TORCHTRT_TENSORRT_EMIT(Broadcast);
TORCHTRT_TENSORRT_EMIT(Concat);
TORCHTRT_TENSORRT_EMIT(Split);
TORCHTRT_TENSORRT_EMIT(Slice);
TORCHTRT_TENSORRT_EMIT(Pad);
TORCHTRT_TENSORRT_EMIT(Tile);
TORCHTRT_TENSORRT_EMIT(Flip);
TORCHTRT_TENSORRT_EMIT(Roll);
TORCHTRT_TENSORRT_EMIT(ReverseSequence);
TORCHTRT_TENSORRT_EMIT(DepthToSpace);
TORCHTRT_TENSORRT_EMIT(SpaceToDepth);
TORCHTRT_TENSORRT_EMIT(Gather);
TORCHTRT_TENSORRT_EMIT(GatherElements);
TORCHTRT_TENSORRT_EMIT(GatherNd);
TORCHTRT_TENSORRT_EMIT(ScatterElements);
TORCHTRT_TENSORRT_EMIT(ScatterNd);
TORCHTRT_TENSORRT_EMIT(OneHot);
TORCHTRT_TENSORRT_EMIT(NonZero);
TORCHTRT_TENSORRT_EMIT(Nms);
TORCHTRT_TENSORRT_EMIT(Quantize);
TORCHTRT_TENSORRT_EMIT(Dequantize);
TORCHTRT_TENSORRT_EMIT(Loop);
TORCHTRT_TENSORRT_EMIT(If);
TORCHTRT_TENSORRT_EMIT(Assert);
TORCHTRT_TENSORRT_EMIT(Plugin);
#undef TORCHTRT_TENSORRT_EMIT

}  // namespace torch_tensorrt::engines::tensorrt
