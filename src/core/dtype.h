#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/export.h"

namespace torch_tensorrt::core {

/// Element types of the Network. The names are the ones that the text form and the CLI print.
enum class DType : std::uint8_t { f32, f16, bf16, f64, i64, i32, i8, u8, b, i4, f8, f4 };

/// "f32", "i64", "b", ...
TORCHTRT_API std::string_view name(DType dtype);
/// The dtype of that exact name.
TORCHTRT_API std::optional<DType> dtype_from_name(std::string_view name);
/// Bits of one element (4 for i4 and f4).
TORCHTRT_API int bits(DType dtype);
/// Bytes of `count` elements; sub-byte types are packed and rounded up.
TORCHTRT_API std::int64_t byte_size(DType dtype, std::int64_t count);

constexpr bool is_float(DType t) {
  return t == DType::f32 || t == DType::f16 || t == DType::bf16 || t == DType::f64;
}
constexpr bool is_int(DType t) {
  return t == DType::i64 || t == DType::i32 || t == DType::i8 || t == DType::u8;
}
constexpr bool is_num(DType t) { return is_float(t) || is_int(t); }

}  // namespace torch_tensorrt::core
