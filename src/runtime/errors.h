#pragma once

#include <utility>

#include "core/error.h"

namespace torch_tensorrt::runtime {

/// Throws the error as PyTorch's exception of that kind (ValueError, TypeError,
/// NotImplementedError, or c10::Error): what PyTorch's dispatcher, TorchScript and Python bindings
/// know how to pass on.
[[noreturn]] void throw_for_torch(const core::Error& error);

/// fn(), its core::Error thrown as PyTorch's.
template <typename Fn>
decltype(auto) translated(Fn&& fn) {
  try {
    return std::forward<Fn>(fn)();
  } catch (const core::Error& error) {
    throw_for_torch(error);
  }
}

}  // namespace torch_tensorrt::runtime
