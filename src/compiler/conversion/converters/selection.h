#pragma once

#include "compiler/conversion/op_context.h"

namespace torch_tensorrt::compiler {

/// where, masked_fill, casts, copies and what does nothing in inference: part of the arithmetic
/// family.
void add_selection_ops(OpTable& table);

}  // namespace torch_tensorrt::compiler
