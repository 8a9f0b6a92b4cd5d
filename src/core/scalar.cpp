#include "core/scalar.h"

#include <bit>
#include <cmath>
#include <cstring>

#include "core/error.h"

namespace torch_tensorrt::core {
namespace {

template <typename T>
void put(std::byte* out, T value) {
  std::memcpy(out, &value, sizeof value);
}

/// Integers hold what fits; everything else would silently become another number.
template <typename T>
T narrowed(DType dtype, std::int64_t value) {
  if (value != static_cast<std::int64_t>(static_cast<T>(value))) {
    throw invalid_argument("constant ", value, " does not fit ", name(dtype));
  }
  return static_cast<T>(value);
}

}  // namespace

std::uint16_t half_from_float(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const auto sign = static_cast<std::uint16_t>((bits >> 16) & 0x8000u);
  const std::uint32_t magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) return static_cast<std::uint16_t>(sign | 0x7e00u);  // NaN
  if (magnitude >= 0x477ff000u)
    return static_cast<std::uint16_t>(sign | 0x7c00u);  // rounds to infinity
  if (magnitude < 0x38800000u) {
    // Subnormal: adding 0.5 leaves the rounded multiple of 2^-24 in the low bits.
    const float shifted = std::bit_cast<float>(magnitude) + 0.5f;
    return static_cast<std::uint16_t>(sign | (std::bit_cast<std::uint32_t>(shifted) - 0x3f000000u));
  }
  const std::uint32_t odd = (magnitude >> 13) & 1u;
  return static_cast<std::uint16_t>(sign | ((magnitude - 0x38000000u + 0xfffu + odd) >> 13));
}

float float_from_half(std::uint16_t half) {
  const std::uint32_t sign = (half & 0x8000u) << 16;
  const std::uint32_t exponent = (half >> 10) & 0x1fu;
  const std::uint32_t fraction = half & 0x3ffu;
  if (exponent == 0) {
    const float magnitude = std::ldexp(static_cast<float>(fraction), -24);
    return sign != 0 ? -magnitude : magnitude;
  }
  const std::uint32_t wide = exponent == 0x1f ? 0xffu : exponent + 112u;
  return std::bit_cast<float>(sign | (wide << 23) | (fraction << 13));
}

std::uint16_t bfloat16_from_float(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  if (std::isnan(value)) return 0x7fc0;
  return static_cast<std::uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

float float_from_bfloat16(std::uint16_t value) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(value) << 16);
}

void store_scalar(DType dtype, std::int64_t value, std::byte* out) {
  switch (dtype) {
    case DType::i64:
      return put(out, value);
    case DType::i32:
      return put(out, narrowed<std::int32_t>(dtype, value));
    case DType::i8:
      return put(out, narrowed<std::int8_t>(dtype, value));
    case DType::u8:
      return put(out, narrowed<std::uint8_t>(dtype, value));
    case DType::b:
      return put(out, static_cast<std::uint8_t>(value != 0));
    default:
      return store_scalar(dtype, static_cast<double>(value), out);
  }
}

void store_scalar(DType dtype, double value, std::byte* out) {
  switch (dtype) {
    case DType::f64:
      return put(out, value);
    case DType::f32:
      return put(out, static_cast<float>(value));
    case DType::f16:
      return put(out, half_from_float(static_cast<float>(value)));
    case DType::bf16:
      return put(out, bfloat16_from_float(static_cast<float>(value)));
    case DType::b:
      return put(out, static_cast<std::uint8_t>(value != 0 || std::isnan(value)));
    case DType::i64:
    case DType::i32:
    case DType::i8:
    case DType::u8:
      if (!(value >= -0x1p63 && value < 0x1p63))
        throw invalid_argument("constant ", value, " does not fit ", name(dtype));
      return store_scalar(dtype, static_cast<std::int64_t>(value), out);
    default:
      throw invalid_argument("a scalar constant cannot be ", name(dtype),
                             ", expected a float, integer or bool type");
  }
}

}  // namespace torch_tensorrt::core
