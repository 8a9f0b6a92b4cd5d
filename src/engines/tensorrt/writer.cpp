#include <algorithm>
#include <cstring>

#include "engines/tensorrt/emit.h"

namespace torch_tensorrt::engines::tensorrt {

namespace {

/// Dimensions of a pointwise result.
Ints broadcast_dims(const Tensor& a, const Tensor& b) {
  Ints dims = a.dims;
  for (std::size_t i = 0; i < dims.size(); ++i) {
    if (dims[i] == 1) dims[i] = b.dims.at(i);
    if (dims[i] == -1 && b.dims.at(i) > 1) dims[i] = b.dims[i];
  }
  return dims;
}

template <typename T>
core::Blob bytes_of(const std::vector<T>& values) {
  std::vector<std::byte> bytes(values.size() * sizeof(T));
  if (!bytes.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
  return core::Blob::of(std::move(bytes));
}

}  // namespace

Ints dims_of(const core::Dims& dims) {
  Ints out;
  for (const core::Extent& dim : dims) out.push_back(dim.is_static() ? dim.opt : -1);
  return out;
}

std::optional<Ints> numbers_of(const core::Content* content) {
  if (!content) return std::nullopt;
  Ints numbers;
  for (const core::Extent& element : *content) {
    if (!element.is_static()) return std::nullopt;
    numbers.push_back(element.opt);
  }
  return numbers;
}

Ints iota(int count, std::int64_t first) {
  Ints out;
  for (int i = 0; i < count; ++i) out.push_back(first + i);
  return out;
}

std::int64_t axes_mask(const Ints& axes) {
  std::int64_t mask = 0;
  for (const std::int64_t axis : axes) mask |= std::int64_t{1} << axis;
  return mask;
}

Ref Writer::call(Ref object, std::string_view method, std::vector<Argument> arguments) {
  const Ref result{script_.object_count++};
  script_.steps.push_back(
      {Step::Kind::call, result, object, std::string(method), std::move(arguments)});
  if (object == kNetwork) last_layer_ = result;
  return result;
}

void Writer::run(Ref object, std::string_view method, std::vector<Argument> arguments) {
  script_.steps.push_back(
      {Step::Kind::call, {}, object, std::string(method), std::move(arguments)});
}

void Writer::set(Ref object, std::string_view attribute, Argument value) {
  script_.steps.push_back(
      {Step::Kind::set, {}, object, std::string(attribute), {std::move(value)}});
}

Tensor Writer::output(Ref layer, DType dtype, Ints dims, std::int64_t index) {
  return {call(layer, "get_output", {index}), dtype, std::move(dims)};
}

WeightsRef Writer::weights(DType dtype, const core::Blob& bytes) {
  const auto next = static_cast<std::int64_t>(script_.weights.size());
  // Blobs share memory, so that the same data is the same place.
  const auto [known, is_new] = weights_.emplace(bytes.data(), next);
  if (!is_new && !bytes.empty()) {
    const Weights& entry = script_.weights[static_cast<std::size_t>(known->second)];
    if (entry.dtype == dtype && entry.bytes.size() == bytes.size()) return {known->second};
  }
  script_.weights.push_back({dtype, bytes});
  return {next};
}

// ---- constants ----

Tensor Writer::constant(const core::Tensor& tensor, const Ints& dims) {
  const Ref layer = add("add_constant", {dims, weights(tensor.dtype, tensor.bytes)});
  return output(layer, tensor.dtype, dims);
}

Tensor Writer::ints(const Ints& values) {
  const auto known = ints_.find(values);
  if (known != ints_.end()) return known->second;
  const auto count = static_cast<std::int64_t>(values.size());
  return ints_[values] = constant({DType::i64, {count}, bytes_of(values)});
}

Tensor Writer::scalar_i64(std::int64_t value) {
  return constant({DType::i64, {}, bytes_of(Ints{value})});
}

Tensor Writer::number(double value, DType dtype, int rank) {
  const Ints dims(static_cast<std::size_t>(rank), 1);
  if (dtype == DType::i64)
    return constant({dtype, dims, bytes_of(Ints{static_cast<std::int64_t>(value)})});
  if (dtype == DType::i32) {
    return constant(
        {dtype, dims, bytes_of(std::vector<std::int32_t>{static_cast<std::int32_t>(value)})});
  }
  const Tensor as_float =
      constant({DType::f32, dims, bytes_of(std::vector<float>{static_cast<float>(value)})});
  return dtype == DType::f32 ? as_float : cast(as_float, dtype);
}

// ---- pointwise ----

Tensor Writer::elementwise(std::string_view operation, const Tensor& a, const Tensor& b) {
  const bool compares = operation == "EQUAL" || operation == "LESS" || operation == "GREATER";
  const Ref layer =
      add("add_elementwise", {a.ref, b.ref, Symbol{"ElementWiseOperation", operation}});
  return output(layer, compares ? DType::b : a.dtype, broadcast_dims(a, b));
}

Tensor Writer::unary(std::string_view operation, const Tensor& x) {
  const bool asks = operation == "ISNAN" || operation == "ISINF";
  const Ref layer = add("add_unary", {x.ref, Symbol{"UnaryOperation", operation}});
  return output(layer, asks ? DType::b : x.dtype, x.dims);
}

Tensor Writer::activation(std::string_view type, const Tensor& x, std::optional<double> alpha,
                          std::optional<double> beta) {
  const Ref layer = add("add_activation", {x.ref, Symbol{"ActivationType", type}});
  if (alpha) set(layer, "alpha", *alpha);
  if (beta) set(layer, "beta", *beta);
  return output(layer, x.dtype, x.dims);
}

Tensor Writer::select(const Tensor& condition, const Tensor& a, const Tensor& b) {
  const Ref layer = add("add_select", {condition.ref, a.ref, b.ref});
  const Tensor both{{}, a.dtype, broadcast_dims(a, b)};
  return output(layer, a.dtype, broadcast_dims(both, condition));
}

Tensor Writer::cast(const Tensor& x, DType to) {
  if (x.dtype == to) return x;
  return output(add("add_cast", {x.ref, to}), to, x.dims);
}

Tensor Writer::identity(const Tensor& x) {
  return output(add("add_identity", {x.ref}), x.dtype, x.dims);
}

// ---- reductions ----

Tensor Writer::reduce(std::string_view operation, const Tensor& x, const Ints& axes,
                      bool keepdims) {
  const Ref layer =
      add("add_reduce", {x.ref, Symbol{"ReduceOperation", operation}, axes_mask(axes), keepdims});
  Ints dims;
  for (int axis = 0; axis < x.rank(); ++axis) {
    if (std::find(axes.begin(), axes.end(), axis) == axes.end())
      dims.push_back(x.dims[static_cast<std::size_t>(axis)]);
    else if (keepdims)
      dims.push_back(1);
  }
  return output(layer, x.dtype, dims);
}

Tensor Writer::softmax(const Tensor& x, std::int64_t axis) {
  // A vector is refused.
  if (x.rank() == 1) return squeeze(softmax(unsqueeze(x, {0}), 1), {0});
  const Ref layer = add("add_softmax", {x.ref});
  set(layer, "axes", axes_mask({axis}));
  return output(layer, x.dtype, x.dims);
}

Tensor Writer::matmul(const Tensor& a, const Tensor& b, bool transpose_a, bool transpose_b) {
  const auto operation = [](bool transposed) {
    return Symbol{"MatrixOperation", transposed ? "TRANSPOSE" : "NONE"};
  };
  const Ref layer =
      add("add_matrix_multiply", {a.ref, operation(transpose_a), b.ref, operation(transpose_b)});
  Ints dims = broadcast_dims(a, b);
  const std::size_t rank = dims.size();
  dims[rank - 2] = a.dims[rank - (transpose_a ? 1 : 2)];
  dims[rank - 1] = b.dims[rank - (transpose_b ? 2 : 1)];
  return output(layer, a.dtype, dims);
}

// ---- layout ----

Tensor Writer::reshape(const Tensor& x, const Ints& dims) {
  const Ref layer = add("add_shuffle", {x.ref});
  set(layer, "zero_is_placeholder", false);
  set(layer, "reshape_dims", dims);
  return output(layer, x.dtype, dims);
}

Tensor Writer::reshape(const Tensor& x, const Tensor& shape, Ints result) {
  const Ref layer = add("add_shuffle", {x.ref});
  set(layer, "zero_is_placeholder", false);
  set_input(layer, 1, shape);
  return output(layer, x.dtype, std::move(result));
}

Tensor Writer::transpose(const Tensor& x, const Ints& perm) {
  const Ref layer = add("add_shuffle", {x.ref});
  set(layer, "first_transpose", perm);
  Ints dims;
  for (const std::int64_t axis : perm) dims.push_back(x.dims.at(static_cast<std::size_t>(axis)));
  return output(layer, x.dtype, dims);
}

Tensor Writer::squeeze(const Tensor& x, const Ints& axes) {
  if (axes.empty()) return x;
  const Tensor axes_tensor = ints(axes);
  const Ref layer = add("add_squeeze", {x.ref, axes_tensor.ref});
  Ints dims;
  for (int axis = 0; axis < x.rank(); ++axis) {
    if (std::find(axes.begin(), axes.end(), axis) == axes.end())
      dims.push_back(x.dims[static_cast<std::size_t>(axis)]);
  }
  return output(layer, x.dtype, dims);
}

Tensor Writer::unsqueeze(const Tensor& x, const Ints& axes) {
  if (axes.empty()) return x;
  const Tensor axes_tensor = ints(axes);
  const Ref layer = add("add_unsqueeze", {x.ref, axes_tensor.ref});
  Ints sorted = axes, dims = x.dims;
  std::sort(sorted.begin(), sorted.end());
  for (const std::int64_t axis : sorted) dims.insert(dims.begin() + axis, 1);
  return output(layer, x.dtype, dims);
}

Tensor Writer::concat(const Tensors& xs, std::int64_t axis) {
  if (xs.size() == 1) return xs.front();
  std::vector<Ref> refs;
  Ints dims = xs.front().dims;
  auto& sum = dims.at(static_cast<std::size_t>(axis));
  sum = 0;
  for (const Tensor& x : xs) {
    refs.push_back(x.ref);
    const std::int64_t dim = x.dims.at(static_cast<std::size_t>(axis));
    sum = sum == -1 || dim == -1 ? -1 : sum + dim;
  }
  const Ref layer = add("add_concatenation", {std::move(refs)});
  // The default is the third axis from behind.
  set(layer, "axis", axis);
  return output(layer, xs.front().dtype, dims);
}

Tensor Writer::slice(const Tensor& x, const SliceShape& shape, Ints result) {
  const auto rank = static_cast<std::size_t>(x.rank());
  const auto or_zeros = [&](const Ints& values) { return values.empty() ? Ints(rank) : values; };
  const Ref layer = add("add_slice", {x.ref, or_zeros(shape.start), or_zeros(shape.size),
                                      shape.step.empty() ? Ints(rank, 1) : shape.step});
  if (shape.start_tensor) set_input(layer, 1, *shape.start_tensor);
  if (shape.size_tensor) set_input(layer, 2, *shape.size_tensor);
  if (shape.step_tensor) set_input(layer, 3, *shape.step_tensor);
  if (!shape.mode.empty()) set(layer, "mode", Symbol{"SampleMode", shape.mode});
  if (shape.fill) set_input(layer, 4, *shape.fill);
  return output(layer, x.dtype, std::move(result));
}

Tensor Writer::slice_axis(const Tensor& x, std::int64_t axis, std::int64_t start, std::int64_t size,
                          std::int64_t step) {
  const auto rank = static_cast<std::size_t>(x.rank()), at = static_cast<std::size_t>(axis);
  SliceShape shape{Ints(rank), x.dims, Ints(rank, 1), {}, {}, {}, {}, {}};
  shape.start[at] = start;
  shape.size[at] = size;
  shape.step[at] = step;
  Ints result = x.dims;
  result[at] = size;
  if (std::find(shape.size.begin(), shape.size.end(), -1) != shape.size.end()) {
    Tensors sizes;
    for (std::int64_t i = 0; i < x.rank(); ++i)
      sizes.push_back(i == axis ? ints({size}) : dim(x, i));
    shape.size_tensor = concat(sizes, 0);
    shape.size = Ints(rank);
  }
  return slice(x, shape, result);
}

Tensor Writer::broadcast(const Tensor& x, const Ints& dims, const std::optional<Tensor>& shape) {
  const auto rank = static_cast<std::size_t>(x.rank());
  SliceShape expand{Ints(rank), dims, Ints(rank, 1), {}, {}, {}, {}, {}};
  // The same element over and over, where the dimension is 1.
  for (std::size_t i = 0; i < rank; ++i) expand.step[i] = x.dims[i] == 1 && dims[i] != 1 ? 0 : 1;
  if (shape) {
    expand.size = Ints(rank);
    expand.size_tensor = *shape;
  }
  return slice(x, expand, dims);
}

Tensor Writer::gather(const Tensor& x, const Tensor& indices, std::int64_t axis) {
  const Ref layer = add("add_gather_v2", {x.ref, indices.ref, Symbol{"GatherMode", "DEFAULT"}});
  set(layer, "axis", axis);
  Ints dims(x.dims.begin(), x.dims.begin() + axis);
  dims.insert(dims.end(), indices.dims.begin(), indices.dims.end());
  dims.insert(dims.end(), x.dims.begin() + axis + 1, x.dims.end());
  return output(layer, x.dtype, dims);
}

// ---- sizes ----

Tensor Writer::shape_of(const Tensor& x) {
  return output(add("add_shape", {x.ref}), DType::i64, {x.rank()});
}

Tensor Writer::dim(const Tensor& x, std::int64_t axis) {
  const std::int64_t known = x.dims.at(static_cast<std::size_t>(axis));
  return known >= 0 ? ints({known}) : element(shape_of(x), axis);
}

Tensor Writer::shape(const Ints& dims, const std::vector<DimOf>& sources) {
  Tensors parts;
  for (std::size_t i = 0; i < dims.size(); ++i) {
    parts.push_back(dims[i] >= 0 ? ints({dims[i]})
                                 : dim(*sources.at(i).tensor, sources.at(i).axis));
  }
  return concat(parts, 0);
}

Tensor Writer::element(const Tensor& vector, std::int64_t index) {
  return slice(vector, {{index}, {1}, {1}, {}, {}, {}, {}, {}}, {1});
}

}  // namespace torch_tensorrt::engines::tensorrt
