#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/dtype.h"
#include "core/export.h"

namespace torch_tensorrt::core {

/// One dimension, or one element of a shape computed on the host: a number, or a range with an
/// optimum. `dynamic` is carried along computations, so a value that depends on a dynamic dimension
/// stays dynamic even where min, opt and max happen to agree.
struct Extent {
  std::int64_t min = 0;
  std::int64_t opt = 0;
  std::int64_t max = 0;
  bool dynamic = false;

  Extent() = default;
  Extent(std::int64_t value)
      : min(value), opt(value), max(value) {}  // NOLINT: a number is an Extent
  static Extent range(std::int64_t min, std::int64_t opt, std::int64_t max) {
    Extent extent;
    extent.min = min;
    extent.opt = opt;
    extent.max = max;
    extent.dynamic = true;
    return extent;
  }
  bool is_static() const { return !dynamic; }
  friend bool operator==(const Extent&, const Extent&) = default;
};

using Dims = std::vector<Extent>;

/// What is known of a value: its dtype and its dimensions. Rank is always static.
struct TensorType {
  DType dtype = DType::f32;
  Dims dims;

  int rank() const { return static_cast<int>(dims.size()); }
  bool is_static() const {
    for (const Extent& dim : dims) {
      if (!dim.is_static()) return false;
    }
    return true;
  }
  friend bool operator==(const TensorType&, const TensorType&) = default;
};

/// "4" or "1..4..8" (min..opt..max).
TORCHTRT_API std::string to_text(const Extent& extent);
/// "f32[1..4..8, 1000]".
TORCHTRT_API std::string to_text(const TensorType& type);
/// Product of the static extents; throws Error(internal) where one is dynamic.
TORCHTRT_API std::int64_t volume(const Dims& dims);
TORCHTRT_API std::vector<std::int64_t> static_dims(const Dims& dims);

}  // namespace torch_tensorrt::core
