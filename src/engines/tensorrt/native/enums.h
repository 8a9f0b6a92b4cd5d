#pragma once

// TensorRT's enums by the names of their members, read from NVIDIA's headers by the compiler: a
// member that these headers lack is unknown here too, and no list has to be kept.

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>

namespace torch_tensorrt::engines::tensorrt {

/// "nvinfer1::ActivationType::kRELU", or a number in place of a name where there is no such member.
template <auto value>
consteval std::string_view spelling() {
  const std::string_view text = __PRETTY_FUNCTION__;
  const std::size_t begin = text.find("value = ") + 8;
  return text.substr(begin, text.find_first_of(";]", begin) - begin);
}

/// "RELU" for ActivationType::kRELU; empty where there is no such member.
template <auto value>
consteval std::string_view member_name() {
  const std::string_view text = spelling<value>();
  const std::size_t prefix = text.rfind("::k");
  return prefix == text.npos ? std::string_view() : text.substr(prefix + 3);
}

/// "IShuffleLayer"
template <class T>
consteval std::string_view class_name() {
  const std::string_view text = __PRETTY_FUNCTION__;
  const std::size_t begin = text.find("nvinfer1::") + 10;
  return text.substr(begin, text.find_first_of(";]", begin) - begin);
}

/// No enum of the builder's interface has more members.
inline constexpr std::size_t kMostMembers = 64;

template <class Enum>
inline constexpr auto kMemberNames = []<std::size_t... i>(std::index_sequence<i...>) {
  return std::array{member_name<static_cast<Enum>(i)>()...};
}(std::make_index_sequence<kMostMembers>());

/// "ActivationType"
template <class Enum>
consteval std::string_view enum_name() {
  const std::string_view text = spelling<static_cast<Enum>(0)>();
  const std::string_view type = text.substr(0, text.rfind("::"));
  return type.substr(type.rfind("::") + 2);
}

template <class Enum>
constexpr std::optional<Enum> member_from_name(std::string_view name) {
  for (std::size_t i = 0; i < kMostMembers; ++i) {
    if (!name.empty() && kMemberNames<Enum>[i] == name) return static_cast<Enum>(i);
  }
  return std::nullopt;
}

}  // namespace torch_tensorrt::engines::tensorrt
