#pragma once

// Single elements of constant data: numbers to bytes and back.

#include <cstddef>
#include <cstdint>

#include "core/dtype.h"

namespace torch_tensorrt::core {

/// IEEE half and bfloat16, rounded to nearest even.
std::uint16_t half_from_float(float value);
float float_from_half(std::uint16_t half);
std::uint16_t bfloat16_from_float(float value);
float float_from_bfloat16(std::uint16_t value);

/// Writes `value` as one element of `dtype` (whole bytes wide) to `out`. Bools become 0 or 1.
void store_scalar(DType dtype, double value, std::byte* out);
void store_scalar(DType dtype, std::int64_t value, std::byte* out);

}  // namespace torch_tensorrt::core
