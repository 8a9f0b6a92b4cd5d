#pragma once

// TensorRT's classes as tables: Python's names of their methods and attributes, and what each of
// them is in C++.

#include <span>
#include <string_view>

#include "engines/tensorrt/native/call.h"

namespace torch_tensorrt::engines::tensorrt {

/// Calls a method, or sets an attribute to the step's one argument, of the object `self`.
using Invoke = Object (*)(const Call& call, void* self);

struct Member {
  std::string_view name;
  Invoke invoke = nullptr;
};

struct ClassTable {
  std::string_view name;
  std::span<const Member> methods, attributes;
  /// Those that came with a later version of TensorRT than the oldest one supported.
  std::span<const Member> later_methods, later_attributes;
  /// The class this one derives from, if its members count, and the object as one.
  const ClassTable* base = nullptr;
  void* (*as_base)(void* self) = nullptr;
};

/// The table of T: of network.cpp for the network, loops and conditionals, of plugins.cpp for the
/// registry and what it gives, of layers.cpp for tensors and layers.
template <class T>
const ClassTable& class_of();

}  // namespace torch_tensorrt::engines::tensorrt
