#pragma once

// What several stages ask about an op's kind.

#include <set>
#include <string>

#include "compiler/graph.h"

namespace torch_tensorrt::compiler {

/// A recurrent layer over a sequence, in any overload.
inline bool is_recurrent(const Node& node) {
  static const std::set<std::string> kRecurrent = {"aten::lstm", "aten::gru", "aten::rnn_tanh",
                                                   "aten::rnn_relu"};
  return kRecurrent.contains(node.kind.toQualString());
}

}  // namespace torch_tensorrt::compiler
