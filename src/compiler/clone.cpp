#include "compiler/clone.h"

namespace torch_tensorrt::compiler {
namespace {

Argument mapped(const Argument& argument, const VarMap& map) {
  if (Var* var = argument.var()) {
    const auto it = map.find(var);
    return it == map.end() ? argument : it->second;
  }
  if (const auto* list = argument.list()) {
    Argument::List elements;
    for (const Argument& element : *list) elements.push_back(mapped(element, map));
    return elements;
  }
  return argument;
}

}  // namespace

Node* clone_node(Graph& graph, const Node& from, Block& to, Node* position, VarMap& map) {
  std::vector<Argument> args;
  for (const Argument& argument : from.args) args.push_back(mapped(argument, map));
  Node* node = position ? graph.insert_before(position, from.kind, std::move(args))
                        : graph.append(to, from.kind, std::move(args));
  node->op = from.op;
  node->origin = from.origin;
  node->jit = from.jit;
  node->module_types = from.module_types;
  node->torch_code = from.torch_code;
  node->shares_written = from.shares_written;
  node->torch_because = from.torch_because;
  for (const auto& inner : from.blocks) {
    node->blocks.push_back(std::make_unique<Block>());
    Block& copy = *node->blocks.back();
    copy.owner = node;
    for (const Var* input : inner->inputs) {
      Var* var = graph.add_input(copy, input->type, input->name);
      var->fact = input->fact;
      map[input] = var;
    }
    copy.outputs = clone_into(graph, *inner, copy, nullptr, map);
  }
  for (const Var* output : from.outputs) {
    Var* var = graph.add_output(node, output->type, output->name);
    var->fact = output->fact;
    var->unknown_because = output->unknown_because;
    map[output] = var;
  }
  return node;
}

std::vector<Argument> clone_into(Graph& graph, const Block& from, Block& to, Node* position,
                                 VarMap& map) {
  for (const auto& node : from.nodes) clone_node(graph, *node, to, position, map);
  std::vector<Argument> outputs;
  for (const Argument& output : from.outputs) outputs.push_back(mapped(output, map));
  return outputs;
}

}  // namespace torch_tensorrt::compiler
