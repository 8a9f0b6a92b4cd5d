#include "core/shape.h"

#include "core/error.h"
#include "core/text.h"

namespace torch_tensorrt::core {

std::string to_text(const Extent& extent) {
  if (extent.is_static()) return std::to_string(extent.min);
  return text(extent.min, "..", extent.opt, "..", extent.max);
}

std::string to_text(const TensorType& type) {
  std::string out = text(name(type.dtype), "[");
  for (std::size_t i = 0; i < type.dims.size(); ++i) {
    if (i > 0) out += ", ";
    out += to_text(type.dims[i]);
  }
  return out + "]";
}

std::int64_t volume(const Dims& dims) {
  std::int64_t product = 1;
  for (const std::int64_t dim : static_dims(dims)) {
    if (__builtin_mul_overflow(product, dim, &product)) {
      throw invalid_argument("a tensor has more than 2^63 elements");
    }
  }
  return product;
}

std::vector<std::int64_t> static_dims(const Dims& dims) {
  std::vector<std::int64_t> out;
  out.reserve(dims.size());
  for (const Extent& dim : dims) {
    if (!dim.is_static())
      throw internal_error("dimension ", to_text(dim), " is dynamic where a number is needed");
    out.push_back(dim.min);
  }
  return out;
}

}  // namespace torch_tensorrt::core
