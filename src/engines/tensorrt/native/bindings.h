#pragma once

// Members of TensorRT's C++ classes as entries of tables: arguments are converted to the types that
// the member's declaration asks for.

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <tuple>
#include <type_traits>
#include <utility>

#include "engines/tensorrt/native/classes.h"

// A script names deprecated functions where their successors mean something else; whether this
// version still has them is for the emitter to know.
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

namespace torch_tensorrt::engines::tensorrt {

template <class T>
Object object_of(T* pointer) {
  return {&class_of<T>(), pointer};
}

/// A result as an object; a null pointer or false is TensorRT's way to refuse.
inline Object checked(const Call& call, bool accepted) {
  if (!accepted) call.refuse("refused by " + tensorrt_name());
  return {};
}
template <class T>
Object checked(const Call& call, T* made) {
  checked(call, made != nullptr);
  return object_of(made);
}

// ---- Equality of what was set and what is read back --------------------------------------------

template <class T>
bool same(const T& set, const T& got) {
  return set == got;
}
inline bool same(const char* set, const char* got) {
  return got != nullptr && std::strcmp(set, got) == 0;
}
inline bool same(const nvinfer1::ITensor& set, const nvinfer1::ITensor* got) { return &set == got; }
inline bool same(const nvinfer1::Dims& set, const nvinfer1::Dims& got) {
  return set.nbDims == got.nbDims && std::equal(set.d, set.d + set.nbDims, got.d);
}
inline bool same(const nvinfer1::Permutation& set, const nvinfer1::Permutation& got) {
  return std::ranges::equal(set.order, got.order);
}
inline bool same(const nvinfer1::Weights& set, const nvinfer1::Weights& got) {
  return set.type == got.type && set.values == got.values && set.count == got.count;
}

inline void check_kept(const Call& call, bool kept) {
  if (!kept) call.refuse(tensorrt_name() + " ignores the value");
}

// ---- Methods -----------------------------------------------------------------------------------

/// Picks one of several functions of that name by its parameters.
template <class... Parameters, class Class, class Result>
constexpr auto overload(Result (Class::*function)(Parameters...) noexcept) {
  return function;
}

/// Argument `index`, or the default that Python's signature has for it.
template <class T, std::size_t index, std::size_t count, auto... defaults>
Passed<T> argument_or_default(const Call& call) {
  if (index < call.count()) return call.as<T>(call.argument(index));
  constexpr std::size_t required = count - sizeof...(defaults);
  if constexpr (index >= required) {
    constexpr auto value = std::get<index - required>(std::tuple(defaults...));
    if constexpr (std::is_same_v<decltype(value), const None>) {
      return call.as<T>(None());
    } else {
      return value;
    }
  } else {
    call.defect(core::text("has ", call.count(), " arguments, needs ", required));
  }
}

template <auto function, auto... defaults>
struct Method;

template <class Class, class Result, class... Parameters,
          Result (Class::*function)(Parameters...) noexcept, auto... defaults>
struct Method<function, defaults...> {
  static Object invoke(const Call& call, void* self) {
    constexpr std::size_t count = sizeof...(Parameters);
    if (call.count() > count) {
      call.defect(core::text("has ", call.count(), " arguments, takes ", count));
    }
    return [&]<std::size_t... i>(std::index_sequence<i...>) {
      return checked(call, (static_cast<Class*>(self)->*function)(
                               argument_or_default<Parameters, i, count, defaults...>(call)...));
    }(std::index_sequence_for<Parameters...>());
  }
};

template <class Class, class Result, class... Parameters,
          Result (Class::*function)(Parameters...) const noexcept>
struct Method<function> {
  static Object invoke(const Call& call, void* self) {
    constexpr std::size_t count = sizeof...(Parameters);
    return [&]<std::size_t... i>(std::index_sequence<i...>) {
      return checked(call, (static_cast<Class*>(self)->*function)(
                               argument_or_default<Parameters, i, count>(call)...));
    }(std::index_sequence_for<Parameters...>());
  }
};

/// The member function itself; `defaults` are those of its last parameters in Python.
template <auto function, auto... defaults>
inline constexpr Invoke method = Method<function, defaults...>::invoke;

// ---- Attributes --------------------------------------------------------------------------------

template <auto setter, auto getter>
struct Attribute;

template <class Class, class Result, class Value, Result (Class::*setter)(Value) noexcept,
          auto getter>
struct Attribute<setter, getter> {
  static Object invoke(const Call& call, void* self) {
    auto* object = static_cast<Class*>(self);
    decltype(auto) value = call.as<Value>(call.argument(0));
    if constexpr (std::is_same_v<Result, bool>) {
      checked(call, (object->*setter)(value));
    } else {
      (object->*setter)(value);
    }
    check_kept(call, same(value, (object->*getter)()));
    return {};
  }
};

/// Sets, and reads back what was set.
template <auto setter, auto getter>
inline constexpr Invoke attribute = Attribute<setter, getter>::invoke;

}  // namespace torch_tensorrt::engines::tensorrt
