#pragma once

#include <ATen/core/ivalue.h>
#include <ATen/core/stack.h>

#include "compiler/graph.h"
#include "core/export.h"

namespace torch_tensorrt::compiler {

/// The value with its real tensors replaced by meta ones, in lists too.
c10::IValue to_meta(const c10::IValue& value);
bool has_meta(const c10::IValue& value);

/// `clear` is called after an operator has thrown and the exception was dropped: an operator
/// written in Python leaves its error behind in the interpreter.
TORCHTRT_API void set_after_failure(void (*clear)());
/// Calls it.
void after_failure();

/// Runs the node's operator on the stack, all meta, for its shapes and dtypes only; `given` is the
/// same with the tensors that are known. Where PyTorch has no meta kernel (many have one in Python
/// only), convolutions are computed by formula and the rest run on what is known, and numbers in
/// the place of the rest. Throws where that cannot tell, and Error(invalid_argument) where the op
/// cannot take these shapes at all.
void run_for_shape(const Node& node, torch::jit::Stack& stack, const torch::jit::Stack& given);

}  // namespace torch_tensorrt::compiler
