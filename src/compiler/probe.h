#pragma once

#include <optional>
#include <vector>

#include "compiler/graph.h"

namespace torch_tensorrt::compiler {

/// The body's inputs at one set of shapes: meta tensors for tensors, examples for the rest; nothing
/// where nothing is known.
using Probe = std::vector<std::optional<c10::IValue>>;

/// A list IValue of that element type.
c10::IValue make_list(const c10::TypePtr& element_type, const std::vector<c10::IValue>& elements);

}  // namespace torch_tensorrt::compiler
