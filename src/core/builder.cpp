#include "core/builder.h"

#include <algorithm>

#include "core/error.h"
#include "core/infer.h"
#include "core/scalar.h"

namespace torch_tensorrt::core {
namespace {

Tensor scalar_tensor(DType dtype, int rank, const auto& value) {
  std::vector<std::byte> bytes(static_cast<std::size_t>(byte_size(dtype, 1)));
  store_scalar(dtype, value, bytes.data());
  return {dtype, Ints(static_cast<std::size_t>(rank), 1), Blob::of(std::move(bytes))};
}

bool all_numbers(const Sizes& sizes) {
  return std::all_of(sizes.begin(), sizes.end(),
                     [](const Size& s) { return std::holds_alternative<std::int64_t>(s); });
}

Ints leading_axes(int count) {
  Ints axes;
  for (int i = 0; i < count; ++i) axes.push_back(i);
  return axes;
}

}  // namespace

const TensorType& Value::type() const { return builder_->network().type(id_); }
const Content* Value::content() const { return builder_->network().content(id_); }

std::vector<Value> NetworkBuilder::add(Layer layer, std::span<const Value> inputs) {
  std::vector<ValueId> ids;
  ids.reserve(inputs.size());
  for (const Value& value : inputs) ids.push_back(value.id());
  std::vector<Value> results;
  for (const ValueId id : network_.add(std::move(layer), ids, origin_))
    results.emplace_back(this, id);
  return results;
}

std::vector<Value> NetworkBuilder::add(Layer layer, std::initializer_list<Value> inputs) {
  return add(std::move(layer), std::span(inputs.begin(), inputs.size()));
}

// ---- sources ----

Value NetworkBuilder::input(std::string name, TensorType type, bool host, Dims content) {
  return one(Input{std::move(name), std::move(type), host, std::move(content)}, {});
}

Value NetworkBuilder::constant(Tensor tensor) { return one(Constant{std::move(tensor)}, {}); }

Value NetworkBuilder::scalar(double value, DType dtype, int rank) {
  return constant(scalar_tensor(dtype, rank, value));
}

Value NetworkBuilder::scalar_i64(std::int64_t value, DType dtype, int rank) {
  return constant(scalar_tensor(dtype, rank, value));
}

Value NetworkBuilder::ints(const Ints& values) {
  const auto bytes = std::as_bytes(std::span(values));
  return constant({DType::i64,
                   {static_cast<std::int64_t>(values.size())},
                   Blob::of({bytes.begin(), bytes.end()})});
}

Value NetworkBuilder::shape_of(Value x) {
  const auto known = shapes_.find(x.id());
  if (known != shapes_.end()) return {this, known->second};
  const Value shape = one(ShapeOf{}, {x});
  shapes_.emplace(x.id(), shape.id());
  return shape;
}

Value NetworkBuilder::range(Value start, Value step, Value count) {
  return one(Range{}, {start, step, count});
}

// ---- sizes ----

Size NetworkBuilder::size(Value x, int axis) {
  const Extent& dim = x.dim(axis);
  if (dim.is_static()) return dim.min;
  // Before the call: compilers differ in which argument they evaluate first, and equal models give
  // equal networks.
  const Value index = scalar_i64(axis);
  return gather(shape_of(x), index, 0);
}

Sizes NetworkBuilder::sizes(Value x) {
  Sizes out;
  for (int axis = 0; axis < x.rank(); ++axis) out.push_back(size(x, axis));
  return out;
}

Size NetworkBuilder::host_binary(BinaryOp op, const Size& a, const Size& b) {
  const auto* left = std::get_if<std::int64_t>(&a);
  const auto* right = std::get_if<std::int64_t>(&b);
  if (left == nullptr || right == nullptr) {
    const Value second = value(b);
    return as_size(binary(op, value(a), second));
  }
  const std::optional<Extent> known = evaluate(op, *left, *right, DType::i64);
  if (!known) {
    throw invalid_argument("a size computed as ",
                           enum_names<BinaryOp>[static_cast<std::size_t>(op)], "(", *left, ", ",
                           *right, ") is not a 64-bit number");
  }
  return known->min;
}

Size NetworkBuilder::add(const Size& a, const Size& b) { return host_binary(BinaryOp::add, a, b); }
Size NetworkBuilder::sub(const Size& a, const Size& b) { return host_binary(BinaryOp::sub, a, b); }
Size NetworkBuilder::mul(const Size& a, const Size& b) { return host_binary(BinaryOp::mul, a, b); }
Size NetworkBuilder::floor_div(const Size& a, const Size& b) {
  return host_binary(BinaryOp::floor_div, a, b);
}
Size NetworkBuilder::remainder(const Size& a, const Size& b) {
  return host_binary(BinaryOp::remainder, a, b);
}
Size NetworkBuilder::min(const Size& a, const Size& b) { return host_binary(BinaryOp::min, a, b); }
Size NetworkBuilder::max(const Size& a, const Size& b) { return host_binary(BinaryOp::max, a, b); }

Value NetworkBuilder::value(const Size& size) {
  if (const auto* known = std::get_if<Value>(&size)) return *known;
  return scalar_i64(std::get<std::int64_t>(size));
}

Value NetworkBuilder::vector(const Sizes& sizes) {
  if (all_numbers(sizes)) {
    Ints numbers;
    for (const Size& size : sizes) numbers.push_back(std::get<std::int64_t>(size));
    return ints(numbers);
  }
  std::vector<Value> parts;
  Ints numbers;
  const auto flush = [&] {
    if (!numbers.empty()) parts.push_back(ints(numbers));
    numbers.clear();
  };
  for (const Size& size : sizes) {
    if (const auto* number = std::get_if<std::int64_t>(&size)) {
      numbers.push_back(*number);
    } else {
      flush();
      parts.push_back(unsqueeze(std::get<Value>(size), {0}));
    }
  }
  flush();
  return concat(parts, 0);
}

Size NetworkBuilder::element(Value host_vector, int index) {
  const Content* content = host_vector.content();
  if (content != nullptr && content->at(static_cast<std::size_t>(index)).is_static()) {
    return content->at(static_cast<std::size_t>(index)).min;
  }
  return gather(host_vector, scalar_i64(index), 0);
}

Size NetworkBuilder::as_size(Value host_scalar) {
  const Content* content = host_scalar.content();
  if (content != nullptr && content->front().is_static()) return content->front().min;
  return host_scalar;
}

// ---- pointwise ----

Value NetworkBuilder::unary(UnaryOp op, Value x) { return one(Unary{op}, {x}); }

Value NetworkBuilder::activation(ActivationOp op, Value x, double alpha, double beta) {
  return one(Activation{op, alpha, beta}, {x});
}

Value NetworkBuilder::binary(BinaryOp op, Value a, Value b) {
  const int rank = std::max(a.rank(), b.rank());
  return one(Binary{op}, {align_rank(a, rank), align_rank(b, rank)});
}

Value NetworkBuilder::compare(CompareOp op, Value a, Value b) {
  const int rank = std::max(a.rank(), b.rank());
  return one(Compare{op}, {align_rank(a, rank), align_rank(b, rank)});
}

Value NetworkBuilder::logical(LogicalOp op, Value a, Value b) {
  const int rank = std::max(a.rank(), b.rank());
  return one(Logical{op}, {align_rank(a, rank), align_rank(b, rank)});
}

Value NetworkBuilder::select(Value condition, Value a, Value b) {
  const int rank = std::max({condition.rank(), a.rank(), b.rank()});
  return one(Select{}, {align_rank(condition, rank), align_rank(a, rank), align_rank(b, rank)});
}

Value NetworkBuilder::cast(Value x, DType to) { return x.dtype() == to ? x : one(Cast{to}, {x}); }

Value NetworkBuilder::align_rank(Value x, int rank) {
  const int missing = rank - x.rank();
  if (missing <= 0) return x;
  if (const Tensor* known = network_.constant(x.id())) {
    Tensor tensor = *known;
    tensor.dims.insert(tensor.dims.begin(), static_cast<std::size_t>(missing), 1);
    return constant(std::move(tensor));
  }
  return unsqueeze(x, leading_axes(missing));
}

// ---- reductions ----

Value NetworkBuilder::reduce(ReduceOp op, Value x, Ints axes, bool keepdims) {
  if (axes.empty()) return x;
  std::sort(axes.begin(), axes.end());
  return one(Reduce{op, std::move(axes), keepdims}, {x});
}

Value NetworkBuilder::softmax(Value x, std::int64_t axis) { return one(Softmax{axis}, {x}); }
Value NetworkBuilder::log_softmax(Value x, std::int64_t axis) { return one(LogSoftmax{axis}, {x}); }

std::pair<Value, Value> NetworkBuilder::topk(Value x, const Size& k, std::int64_t axis,
                                             bool largest) {
  const std::vector<Value> results = add(TopK{axis, largest}, {x, value(k)});
  return {results[0], results[1]};
}

Value NetworkBuilder::cumsum(Value x, std::int64_t axis, bool exclusive, bool reverse) {
  return one(CumSum{axis, exclusive, reverse}, {x});
}

Value NetworkBuilder::matmul(Value a, Value b, bool transpose_a, bool transpose_b) {
  const int rank = std::max(a.rank(), b.rank());
  return one(MatMul{transpose_a, transpose_b}, {align_rank(a, rank), align_rank(b, rank)});
}

// ---- layout ----

Value NetworkBuilder::reshape(Value x, const Sizes& shape) {
  return one(Reshape{}, {x, vector(shape)});
}
Value NetworkBuilder::transpose(Value x, Ints perm) { return one(Transpose{std::move(perm)}, {x}); }
Value NetworkBuilder::squeeze(Value x, Ints axes) { return one(Squeeze{std::move(axes)}, {x}); }
Value NetworkBuilder::unsqueeze(Value x, Ints axes) { return one(Unsqueeze{std::move(axes)}, {x}); }

Value NetworkBuilder::broadcast(Value x, const Sizes& shape) {
  return one(Broadcast{}, {align_rank(x, static_cast<int>(shape.size())), vector(shape)});
}

Value NetworkBuilder::concat(std::span<const Value> xs, std::int64_t axis) {
  return add(Concat{axis}, xs).front();
}

std::vector<Value> NetworkBuilder::split(Value x, std::int64_t axis, Ints sizes) {
  return add(Split{axis, std::move(sizes)}, {x});
}

Value NetworkBuilder::slice(Value x, int axis, const Size& start, const Size& size,
                            const Size& step) {
  return one(Slice{{axis}}, {x, vector({start}), vector({size}), vector({step})});
}

Value NetworkBuilder::gather(Value x, Value indices, std::int64_t axis, std::int64_t batch_dims) {
  return one(Gather{axis, batch_dims}, {x, indices});
}

}  // namespace torch_tensorrt::core
