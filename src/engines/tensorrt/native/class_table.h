#pragma once

// How network.cpp and layers.cpp make their tables: a class lists its members in specializations of
// the variables below.

#include <array>
#include <cstddef>
#include <type_traits>

#include "engines/tensorrt/native/bindings.h"
#include "engines/tensorrt/native/versions.h"

namespace torch_tensorrt::engines::tensorrt {

template <std::size_t count>
constexpr auto members(const Member (&each)[count]) {
  return std::to_array(each);
}
inline constexpr std::array<Member, 0> kNoMembers;

template <class T>
inline constexpr auto methods_of = kNoMembers;
template <class T>
inline constexpr auto attributes_of = kNoMembers;
/// Those that came after the oldest version supported.
template <class T>
inline constexpr auto later_methods_of = kNoMembers;
template <class T>
inline constexpr auto later_attributes_of = kNoMembers;

template <class T>
ClassTable table_of() {
  ClassTable out{class_name<T>(),        methods_of<T>, attributes_of<T>, later_methods_of<T>,
                 later_attributes_of<T>, nullptr,       nullptr};
  if constexpr (std::is_base_of_v<nvinfer1::ILayer, T> && !std::is_same_v<nvinfer1::ILayer, T>) {
    out.base = &class_of<nvinfer1::ILayer>();
    out.as_base = [](void* self) -> void* {
      return static_cast<nvinfer1::ILayer*>(static_cast<T*>(self));
    };
  }
  return out;
}

}  // namespace torch_tensorrt::engines::tensorrt
