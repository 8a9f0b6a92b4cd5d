#pragma once

#include <array>

#include "engines/conformance/known.h"

namespace torch_tensorrt::engines::conformance {

inline constexpr auto kReferenceUnsupported = std::to_array<Known>({
    {"plugin/*", "plugins are TensorRT's own: nothing else loads their libraries"},
});

inline constexpr std::array<Known, 0> kReferenceExpectedFailures{};

}  // namespace torch_tensorrt::engines::conformance
