#pragma once

// What printer and parser of the text form agree on.

#include <cstddef>
#include <string>
#include <string_view>

#include "core/dtype.h"

namespace torch_tensorrt::core {

/// Constants of more elements print a digest of their data.
inline constexpr std::size_t kInlineElements = 16;

/// Bytes of one printed element; packed types print byte by byte.
std::size_t element_width(DType dtype);
/// "s" in quotes; control characters, quotes and backslashes escaped.
std::string quoted(std::string_view s);
/// A part of the origin comment; "-" when empty.
std::string escaped_origin(std::string_view s);

}  // namespace torch_tensorrt::core
