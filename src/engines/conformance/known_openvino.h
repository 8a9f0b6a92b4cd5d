#pragma once

#include <array>

#include "engines/conformance/known.h"

namespace torch_tensorrt::engines::conformance {

inline constexpr auto kOpenvinoUnsupported = std::to_array<Known>({
    {"plugin/*", "plugins are TensorRT's own: nothing else loads their libraries"},
    {"lstm/lengths*/dynamic", "LSTMSequence ignores lengths where a dimension is dynamic"},
});

inline constexpr auto kOpenvinoExpectedFailures = std::to_array<Known>({
    {"activation/relu_nan/*", "Relu gives 0 for NaN"},
    {"activation/clip_special/*", "Clamp gives the lower bound for NaN"},
    {"reduce/max_nan/*", "ReduceMax ignores NaN"},
    {"identity/beyond_i32/*", "the CPU plugin holds i64 as i32"},
});

}  // namespace torch_tensorrt::engines::conformance
