#pragma once

#include <array>

#include "engines/conformance/known.h"

namespace torch_tensorrt::engines::conformance {

inline constexpr std::array<Known, 0> kReferenceUnsupported{};

inline constexpr std::array<Known, 0> kReferenceExpectedFailures{};

}  // namespace torch_tensorrt::engines::conformance
