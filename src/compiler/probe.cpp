#include "compiler/probe.h"

#include <ATen/core/List.h>

namespace torch_tensorrt::compiler {

c10::IValue make_list(const c10::TypePtr& element_type, const std::vector<c10::IValue>& elements) {
  c10::impl::GenericList list(element_type);
  list.reserve(elements.size());
  for (const auto& element : elements) list.push_back(element);
  return list;
}

}  // namespace torch_tensorrt::compiler
