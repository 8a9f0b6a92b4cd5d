#pragma once

// How many threads one inference is given.

#include "core/network.h"

namespace torch_tensorrt::engines::openvino {

/// `threads`, or 1 where more would cost time: a recurrent layer takes its steps one after another,
/// and hands each of them to all threads. With two that costs about 0.35 us a step and saves
/// nothing (LSTM of 24 units, 64 steps: 32 us on one thread, 51 on two).
int threads_for(const core::Network& network, int threads);

}  // namespace torch_tensorrt::engines::openvino
