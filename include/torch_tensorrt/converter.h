#pragma once

// Converters of one's own, in C++: how an op becomes layers of an engine's network. A library that
// holds some is loaded with `torchtrtc --custom-converters`, `torch.ops.load_library` or by linking
// it; from then on every frontend uses them. See docs/converters.md.
//
// These headers follow the compiler: such a library is built for one version of this project.

#include <functional>
#include <string>
#include <utility>

#include "compiler/conversion/op_context.h"

namespace torch_tensorrt::converters {

using compiler::Bound;
using compiler::Node;
using compiler::OpContext;
using core::DType;
using core::Value;

/// Registers a converter for as long as it lives: a static object of a library.
///
///   const Registration soft_cap("mylib::soft_cap", [](OpContext& op) -> std::vector<Bound> {
///     return {op.net().unary(core::UnaryOp::abs, op.value("x"))};
///   });
class Registration {
 public:
  enum class Priority { standard, high };

  /// `op`: name and overload, "mylib::soft_cap" or "aten::add.Tensor". `convert` gives a value (or
  /// a list of values) per output of the op, and throws OpContext::refuse where it cannot: that
  /// segment then stays in PyTorch, with the text in the report. A converter of standard priority
  /// is used where there is no built-in one. `takes` can leave nodes to others.
  Registration(std::string op, compiler::Converter convert, Priority priority = Priority::standard,
               std::function<bool(const Node&)> takes = {})
      : number_(compiler::add_converter(
            {std::move(op), std::move(convert), std::move(takes), priority == Priority::high})) {}
  ~Registration() { compiler::remove_converter(number_); }
  Registration(const Registration&) = delete;
  Registration& operator=(const Registration&) = delete;

 private:
  std::size_t number_;
};

}  // namespace torch_tensorrt::converters
