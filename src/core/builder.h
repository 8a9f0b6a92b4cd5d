#pragma once

// A thin writer of Networks: one method per layer kind, plus the few conveniences that every
// converter needs (rank alignment, scalars, sizes that are numbers or host values). It folds
// nothing but host arithmetic on known numbers.

#include <cstdint>
#include <initializer_list>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "core/export.h"
#include "core/network.h"

namespace torch_tensorrt::core {

class NetworkBuilder;

/// A value of the network under construction: a light handle.
class TORCHTRT_API Value {
 public:
  Value() = default;
  Value(NetworkBuilder* builder, ValueId id) : builder_(builder), id_(id) {}

  ValueId id() const { return id_; }
  NetworkBuilder& builder() const { return *builder_; }
  const TensorType& type() const;
  DType dtype() const { return type().dtype; }
  int rank() const { return type().rank(); }
  const Dims& dims() const { return type().dims; }
  const Extent& dim(int axis) const { return type().dims.at(static_cast<std::size_t>(axis)); }
  const Content* content() const;

 private:
  NetworkBuilder* builder_ = nullptr;
  ValueId id_ = kAbsent;
};

/// A size: a number known now, or an i64 scalar that the host computes at run time.
using Size = std::variant<std::int64_t, Value>;
using Sizes = std::vector<Size>;

class TORCHTRT_API NetworkBuilder {
 public:
  explicit NetworkBuilder(Network& network) : network_(network) {}
  NetworkBuilder(const NetworkBuilder&) = delete;
  NetworkBuilder& operator=(const NetworkBuilder&) = delete;

  Network& network() { return network_; }
  const Network& network() const { return network_; }
  /// Origin given to the layers added from now on.
  void set_origin(Origin origin) { origin_ = std::move(origin); }

  std::vector<Value> add(Layer layer, std::span<const Value> inputs);
  std::vector<Value> add(Layer layer, std::initializer_list<Value> inputs);
  Value one(Layer layer, std::initializer_list<Value> inputs) {
    return add(std::move(layer), inputs).front();
  }

  // ---- sources ----
  Value input(std::string name, TensorType type, bool host = false, Dims content = {});
  Value constant(Tensor tensor);
  /// A constant of `rank` dimensions of size 1 holding `value`, cast to dtype.
  Value scalar(double value, DType dtype, int rank = 0);
  Value scalar_i64(std::int64_t value, DType dtype = DType::i64, int rank = 0);
  /// A constant i64 vector.
  Value ints(const Ints& values);
  Value shape_of(Value x);
  Value range(Value start, Value step, Value count);

  // ---- sizes: numbers where known, host values otherwise ----
  Size size(Value x, int axis);
  Sizes sizes(Value x);
  Size add(const Size& a, const Size& b);
  Size sub(const Size& a, const Size& b);
  Size mul(const Size& a, const Size& b);
  Size floor_div(const Size& a, const Size& b);
  Size remainder(const Size& a, const Size& b);
  Size min(const Size& a, const Size& b);
  Size max(const Size& a, const Size& b);
  /// The size as an i64 scalar value.
  Value value(const Size& size);
  /// The sizes as one host i64 vector (a constant where all are numbers).
  Value vector(const Sizes& sizes);
  /// Element `index` of a host vector, as a number where known.
  Size element(Value host_vector, int index);
  /// A host i64 scalar as a number where its content is static.
  Size as_size(Value host_scalar);

  // ---- pointwise; operands of lower rank get leading dimensions of 1; dtypes must be equal ----
  Value unary(UnaryOp op, Value x);
  Value activation(ActivationOp op, Value x, double alpha = 0, double beta = 0);
  Value binary(BinaryOp op, Value a, Value b);
  Value compare(CompareOp op, Value a, Value b);
  Value logical(LogicalOp op, Value a, Value b);
  Value select(Value condition, Value a, Value b);
  /// x itself where it has that dtype already.
  Value cast(Value x, DType to);
  /// x with leading dimensions of 1 up to `rank`.
  Value align_rank(Value x, int rank);

  // ---- reductions ----
  /// x itself where `axes` is empty.
  Value reduce(ReduceOp op, Value x, Ints axes, bool keepdims);
  Value softmax(Value x, std::int64_t axis);
  Value log_softmax(Value x, std::int64_t axis);
  std::pair<Value, Value> topk(Value x, const Size& k, std::int64_t axis, bool largest);
  Value cumsum(Value x, std::int64_t axis, bool exclusive = false, bool reverse = false);
  Value matmul(Value a, Value b, bool transpose_a = false, bool transpose_b = false);

  // ---- layout ----
  Value reshape(Value x, const Sizes& shape);
  Value transpose(Value x, Ints perm);
  Value squeeze(Value x, Ints axes);
  Value unsqueeze(Value x, Ints axes);
  Value broadcast(Value x, const Sizes& shape);
  Value concat(std::span<const Value> xs, std::int64_t axis);
  std::vector<Value> split(Value x, std::int64_t axis, Ints sizes);
  /// One axis: start and size in bounds.
  Value slice(Value x, int axis, const Size& start, const Size& size,
              const Size& step = std::int64_t{1});
  Value gather(Value x, Value indices, std::int64_t axis, std::int64_t batch_dims = 0);

 private:
  Size host_binary(BinaryOp op, const Size& a, const Size& b);

  Network& network_;
  Origin origin_;
  std::map<ValueId, ValueId> shapes_;  ///< shape_of layers made so far, by operand
};

inline Value operator+(Value a, Value b) { return a.builder().binary(BinaryOp::add, a, b); }
inline Value operator-(Value a, Value b) { return a.builder().binary(BinaryOp::sub, a, b); }
inline Value operator*(Value a, Value b) { return a.builder().binary(BinaryOp::mul, a, b); }
inline Value operator/(Value a, Value b) { return a.builder().binary(BinaryOp::div, a, b); }
inline Value operator+(Value a, double b) { return a + a.builder().scalar(b, a.dtype(), a.rank()); }
inline Value operator-(Value a, double b) { return a - a.builder().scalar(b, a.dtype(), a.rank()); }
inline Value operator*(Value a, double b) { return a * a.builder().scalar(b, a.dtype(), a.rank()); }
inline Value operator/(Value a, double b) { return a / a.builder().scalar(b, a.dtype(), a.rank()); }

}  // namespace torch_tensorrt::core
