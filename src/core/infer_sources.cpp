#include <cstring>

#include "core/infer.h"

namespace torch_tensorrt::core {
namespace {

template <typename T>
Content elements(const Blob& bytes) {
  Content out;
  for (std::size_t i = 0; i < bytes.size() / sizeof(T); ++i) {
    T value{};
    std::memcpy(&value, bytes.data() + i * sizeof(T), sizeof(T));
    out.emplace_back(static_cast<std::int64_t>(value));
  }
  return out;
}

std::optional<Content> content_of(const Tensor& tensor) {
  if (tensor.dims.size() > 1) return std::nullopt;
  const std::int64_t count = tensor.dims.empty() ? 1 : tensor.dims.front();
  if (count > static_cast<std::int64_t>(kMaxContent)) return std::nullopt;
  switch (tensor.dtype) {
    case DType::i64:
      return elements<std::int64_t>(tensor.bytes);
    case DType::i32:
      return elements<std::int32_t>(tensor.bytes);
    case DType::b:
      return elements<std::uint8_t>(tensor.bytes);
    default:
      return std::nullopt;
  }
}

}  // namespace

// C1 rank <= 8 · C3 host: i64, rank <= 1 · C4 0 <= min <= opt <= max <= 2^40 · C5 content: host
// only, one extent per element (C2, a unique name, is the network's check)
Results infer(const Input& layer, const Operands& in) {
  const TensorType& type = layer.type;
  in.require(type.rank() <= 8, "C1", "'", layer.name, "' has rank ", type.rank(),
             ", expected at most 8");
  in.require(!layer.host || (type.dtype == DType::i64 && type.rank() <= 1), "C3", "host input '",
             layer.name, "' is ", type, ", expected i64 of rank 0 or 1");
  for (const Extent& e : type.dims) {
    in.require(is_dim(e), "C4", "'", layer.name, "' has a dimension ", e.min, "..", e.opt, "..",
               e.max, ", expected 0 <= min <= opt <= max <= 2^40");
  }
  Result result{type};
  const bool small = type.is_static() && type.rank() <= 1 &&
                     volume(type.dims) <= static_cast<std::int64_t>(kMaxContent);
  const std::size_t count = layer.host && small ? static_cast<std::size_t>(volume(type.dims)) : 0;
  in.require(layer.content.empty() || layer.content.size() == count, "C5", "'", layer.name,
             "' has content of ", layer.content.size(), " elements, expected ", count, " (host ",
             layer.host, ", ", type, ")");
  for (const Extent& e : layer.content) {
    in.require(e.dynamic || (e.min == e.opt && e.opt == e.max), "C5", "'", layer.name,
               "' has a static element ", e.min, "..", e.opt, "..", e.max, ", expected one number");
  }
  // Host inputs without content are sizes of which nothing else is known.
  if (layer.host && small)
    result.content = layer.content.empty() ? Content(count, unbounded()) : layer.content;
  return {result};
}

TensorType checked_type(const Tensor& tensor, const Operands& in, std::string_view code) {
  TensorType type{tensor.dtype, {}};
  std::int64_t count = 1;
  for (const std::int64_t dim : tensor.dims) {
    in.require(0 <= dim && dim <= kMaxDim, code, "a dimension is ", dim, ", expected 0..2^40");
    count = saturating_mul(count, dim);
    type.dims.emplace_back(dim);
  }
  // 2^58 elements: no byte count below overflows.
  in.require(count <= std::int64_t{1} << 58, code, type, " is too large");
  in.require(byte_size(tensor.dtype, count) == static_cast<std::int64_t>(tensor.bytes.size()), code,
             "the data has ", tensor.bytes.size(), " bytes, expected ",
             byte_size(tensor.dtype, count), " (", type, ")");
  return type;
}

// C1 the bytes are as many as dtype and dimensions say
Results infer(const Constant& layer, const Operands& in) {
  TensorType type = checked_type(layer.value, in, "C1");
  std::optional<Content> content = content_of(layer.value);
  return {{std::move(type), std::move(content)}};
}

Results infer(const ShapeOf& /*layer*/, const Operands& in) {
  const Dims& dims = in.dims(0);
  return {{TensorType{DType::i64, {static_cast<std::int64_t>(dims.size())}}, dims}};
}

// C1 start and step: scalars of one dtype, f32, i32 or i64 · C2 count: host scalar, >= 0
Results infer(const Range& /*layer*/, const Operands& in) {
  const DType dtype = in[0].dtype;
  in.require(dtype == DType::f32 || dtype == DType::i32 || dtype == DType::i64, "C1", "start is ",
             dtype, ", expected f32, i32 or i64");
  in.require_dtype(1, dtype, "C1");
  in.require_rank(0, 0, "C1");
  in.require_rank(1, 0, "C1");
  const Extent count = in.host_scalar(2, "C2");
  in.require(count.dynamic || (0 <= count.min && count.min <= kMaxDim), "C2", "count is ", count,
             ", expected 0..2^40");
  Result result{TensorType{dtype, {as_dim(count)}}};
  if (in.content(0) == nullptr || in.content(1) == nullptr || count.dynamic ||
      count.min > static_cast<std::int64_t>(kMaxContent)) {
    return {result};
  }
  result.content.emplace();
  for (std::int64_t i = 0; i < count.min; ++i) {
    const auto offset = evaluate(BinaryOp::mul, in.content(1)->front(), i, dtype);
    const auto element =
        offset ? evaluate(BinaryOp::add, in.content(0)->front(), *offset, dtype) : std::nullopt;
    if (!element) return one(result.type);
    result.content->push_back(*element);
  }
  return {result};
}

// C1 shape: host vector of sizes >= 0 · C2 a floating dtype
Results infer(const Random& layer, const Operands& in) {
  in.require(is_float(layer.dtype), "C2", "dtype is ", layer.dtype, ", expected a floating type");
  return one(layer.dtype, in.host_dims(0, "C1"));
}

}  // namespace torch_tensorrt::core
