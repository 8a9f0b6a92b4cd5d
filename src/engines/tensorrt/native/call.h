#pragma once

// One step of a script while it is played: its arguments as the values of TensorRT's C++ API, and
// what it says when it cannot be played.

#include <NvInfer.h>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include "core/text.h"
#include "engines/tensorrt/native/enums.h"
#include "engines/tensorrt/script.h"

namespace torch_tensorrt::engines::tensorrt {

struct ClassTable;

/// What a call gave: an object of TensorRT and the table of its class. Empty for calls without a
/// result.
struct Object {
  const ClassTable* type = nullptr;
  void* pointer = nullptr;
  /// Of objects that are the caller's: plugins, which the network copies.
  std::shared_ptr<void> owner = nullptr;
};

template <class T>
const ClassTable& class_of();

/// What is passed for a parameter of that type: a reference to a tensor stays one, all else is
/// converted into a value.
template <class T>
using Passed = std::conditional_t<std::same_as<T, nvinfer1::ITensor&>, T, std::remove_cvref_t<T>>;

class Call {
 public:
  Call(const Script& script, const Step& step, const std::vector<Object>& objects)
      : script_(script), step_(step), objects_(objects) {}

  std::size_t count() const { return step_.arguments.size(); }
  const Argument& argument(std::size_t index) const { return step_.arguments[index]; }

  /// The argument as a parameter of that type.
  template <class T>
  Passed<T> as(const Argument& argument) const;

  /// TensorRT cannot do it, or not in this version.
  [[noreturn]] void refuse(const std::string& why) const;
  /// The script is wrong.
  [[noreturn]] void defect(const std::string& why) const;

  nvinfer1::ITensor& tensor(Ref ref) const;
  std::vector<nvinfer1::ITensor*> tensors(const Argument& argument) const;
  /// The plugin that the argument refers to.
  template <class T>
  T& plugin(const Argument& argument) const;
  /// As TensorRT takes them; they point into the step and the script's weights.
  std::vector<nvinfer1::PluginField> fields(const Argument& argument) const;
  /// Ints, or one int.
  std::vector<float> floats(const Argument& argument) const;
  std::int64_t integer(const Argument& argument, std::int64_t lowest, std::int64_t highest) const;
  double number(const Argument& argument) const;
  nvinfer1::Dims dims(const Argument& argument) const;
  nvinfer1::Permutation permutation(const Argument& argument) const;
  nvinfer1::DataType data_type(DType dtype) const;
  nvinfer1::Weights weights(const Argument& argument) const;

 private:
  template <class T>
  const T& expect(const Argument& argument, const char* what) const;
  template <class Enum>
  Enum member(const Symbol& symbol) const;

  const Script& script_;
  const Step& step_;
  const std::vector<Object>& objects_;
};

/// "TensorRT 10.16"
std::string tensorrt_name();

template <class T>
const T& Call::expect(const Argument& argument, const char* what) const {
  if (const T* value = std::get_if<T>(&argument)) return *value;
  defect(std::string("an argument is not ") + what);
}

template <class T>
T& Call::plugin(const Argument& argument) const {
  const Ref ref = expect<Ref>(argument, "a plugin");
  const Object object = ref.id < objects_.size() ? objects_[ref.id] : Object();
  if (object.type != &class_of<T>()) defect(core::text('%', ref.id, " is not such a plugin"));
  return *static_cast<T*>(object.pointer);
}

template <class Enum>
Enum Call::member(const Symbol& symbol) const {
  const std::string_view type = enum_name<Enum>();
  if (symbol.type != type) defect(core::text(symbol.type, " in place of ", type));
  const std::optional<Enum> value = member_from_name<Enum>(symbol.member);
  if (!value) {
    refuse(core::text(tensorrt_name(), " has no ", symbol.type, '.', symbol.member));
  }
  return *value;
}

template <class T>
Passed<T> Call::as(const Argument& argument) const {
  using Value = Passed<T>;
  if constexpr (std::same_as<Value, nvinfer1::ITensor&>) {
    return tensor(expect<Ref>(argument, "a tensor"));
  } else if constexpr (std::same_as<Value, nvinfer1::ITensor*>) {
    if (std::holds_alternative<None>(argument)) return nullptr;
    return &tensor(expect<Ref>(argument, "a tensor"));
  } else if constexpr (std::same_as<Value, bool>) {
    return expect<bool>(argument, "a bool");
  } else if constexpr (std::integral<Value>) {
    using Limits = std::numeric_limits<Value>;
    return static_cast<Value>(integer(argument, Limits::min(), Limits::max()));
  } else if constexpr (std::floating_point<Value>) {
    return static_cast<Value>(number(argument));
  } else if constexpr (std::same_as<Value, const char*>) {
    return expect<std::string>(argument, "a string").c_str();
  } else if constexpr (std::same_as<Value, nvinfer1::Dims>) {
    return dims(argument);
  } else if constexpr (std::same_as<Value, nvinfer1::Permutation>) {
    return permutation(argument);
  } else if constexpr (std::same_as<Value, nvinfer1::Weights>) {
    return weights(argument);
  } else if constexpr (std::same_as<Value, nvinfer1::DataType>) {
    return data_type(expect<DType>(argument, "a dtype"));
  } else {
    static_assert(std::is_enum_v<Value>);
    return member<Value>(expect<Symbol>(argument, "a member of an enum"));
  }
}

}  // namespace torch_tensorrt::engines::tensorrt
