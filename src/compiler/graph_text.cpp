#include <sstream>

#include "compiler/graph.h"

namespace torch_tensorrt::compiler {
namespace {

void print(std::ostream& out, const c10::IValue& value) {
  if (value.isTensor() && value.toTensor().defined()) {
    const at::Tensor& tensor = value.toTensor();
    out << "tensor<" << tensor.scalar_type() << tensor.sizes() << ">";
  } else if (value.isString()) {
    out << '"' << value.toStringRef() << '"';
  } else if (value.isCustomClass() || value.isObject()) {
    out << "<" << value.type()->repr_str() << ">";
  } else {
    out << value;
  }
}

void print(std::ostream& out, const Argument& argument) {
  if (const Var* var = argument.var()) {
    out << '%' << var->id;
  } else if (const auto* list = argument.list()) {
    out << '[';
    for (std::size_t i = 0; i < list->size(); ++i) {
      if (i) out << ", ";
      print(out, (*list)[i]);
    }
    out << ']';
  } else {
    print(out, *argument.constant());
  }
}

void print_declaration(std::ostream& out, const Var& var) {
  out << '%' << var.id << ": ";
  if (const auto known = tensor_type(var); known.type) {
    out << core::to_text(*known.type);
  } else {
    out << var.type->annotation_str();
  }
}

void print(std::ostream& out, const Block& block, int depth) {
  const std::string indent(static_cast<std::size_t>(depth) * 2, ' ');
  out << indent << "inputs(";
  for (std::size_t i = 0; i < block.inputs.size(); ++i) {
    if (i) out << ", ";
    print_declaration(out, *block.inputs[i]);
  }
  out << ")\n";
  for (const auto& node : block.nodes) {
    out << indent;
    for (std::size_t i = 0; i < node->outputs.size(); ++i) {
      if (i) out << ", ";
      print_declaration(out, *node->outputs[i]);
    }
    out << (node->outputs.empty() ? "" : " = ") << node->name() << '(';
    const auto* schema = node->schema();
    for (std::size_t i = 0; i < node->args.size(); ++i) {
      if (i) out << ", ";
      if (schema && i < schema->arguments().size()) out << schema->arguments()[i].name() << '=';
      print(out, node->args[i]);
    }
    out << ')';
    if (!node->origin.scope.empty() || !node->origin.location.empty())
      out << "  # " << where(node->origin);
    out << '\n';
    for (const auto& inner : node->blocks) {
      out << indent << "  {\n";
      print(out, *inner, depth + 2);
      out << indent << "  }\n";
    }
  }
  out << indent << "return(";
  for (std::size_t i = 0; i < block.outputs.size(); ++i) {
    if (i) out << ", ";
    print(out, block.outputs[i]);
  }
  out << ")\n";
}

}  // namespace

std::string Graph::to_text() const {
  std::ostringstream out;
  print(out, body_, 0);
  return std::move(out).str();
}

}  // namespace torch_tensorrt::compiler
