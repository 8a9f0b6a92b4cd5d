#pragma once

#include <array>

#include "engines/conformance/known.h"

namespace torch_tensorrt::engines::conformance {

inline constexpr std::array<Known, 0> kOpenvinoUnsupported{};

inline constexpr std::array<Known, 0> kOpenvinoExpectedFailures{};

}  // namespace torch_tensorrt::engines::conformance
