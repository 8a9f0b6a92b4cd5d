#include "compiler/lowering/truncate.h"

#include <ATen/ATen.h>

#include <algorithm>

namespace torch_tensorrt::compiler {
namespace {

bool is_double(const c10::IValue& value) {
  return value.isTensor() && value.toTensor().defined() &&
         value.toTensor().scalar_type() == at::kDouble;
}

bool is_double(const Var& var) { return var.fact && is_double(var.fact->samples.front()); }

bool is_dtype(const c10::Argument& argument) {
  c10::TypePtr type = argument.real_type();
  if (const auto optional = type->cast<c10::OptionalType>()) type = optional->getElementType();
  return type->kind() == c10::TypeKind::ScalarTypeType;
}

/// aten::to of the value, before `position` or at the end of the block.
Var* cast(Graph& graph, Block& block, Node* position, Var* value, at::ScalarType dtype) {
  static const auto op = torch::jit::getOperatorForLiteral(
      "aten::to.dtype(Tensor(a) self, ScalarType dtype, bool non_blocking=False, bool copy=False, "
      "MemoryFormat? memory_format=None) -> Tensor(a)");
  std::vector<Argument> args{value, c10::IValue(static_cast<std::int64_t>(dtype)),
                             c10::IValue(false), c10::IValue(false), c10::IValue()};
  Node* node = position ? graph.insert_before(position, c10::aten::to, std::move(args))
                        : graph.append(block, c10::aten::to, std::move(args));
  node->op = op;
  return graph.add_output(node, c10::TensorType::get());
}

/// Uses of `from` become `to`, but for the node that makes `to`.
void use_instead(Graph& graph, Var* from, Var* to) {
  graph.replace_uses(from, to);
  to->producer->args[0] = from;
}

void truncate(Argument& argument) {
  if (auto* list = std::get_if<Argument::List>(&argument.data)) {
    for (Argument& element : *list) truncate(element);
  } else if (const auto* constant = argument.constant(); constant && is_double(*constant)) {
    argument = Argument(c10::IValue(constant->toTensor().to(at::kFloat)));
  }
}

bool makes_container(const Node& node) {
  return node.kind == c10::prim::TupleConstruct || node.kind == c10::prim::ListConstruct ||
         node.kind == c10::prim::DictConstruct;
}

/// What the program gives: the outputs themselves, or what its tuples, lists and dicts are made
/// of. `user` reads the argument; null: it is an output.
void restore(Graph& graph, Node* user, Argument& argument) {
  for_each_var(argument, [&](Var*& var) {
    if (is_double(*var)) {
      var = cast(graph, user ? *user->owner : graph.body(), user, var, at::kDouble);
    } else if (var->producer && makes_container(*var->producer)) {
      for (Argument& element : var->producer->args) restore(graph, var->producer, element);
    }
  });
}

}  // namespace

void truncate_doubles(Graph& graph) {
  Block& body = graph.body();
  const std::vector<Node*> nodes = all_nodes(body);
  for (Argument& output : body.outputs) restore(graph, nullptr, output);
  for (Node* node : nodes) {
    for (Argument& argument : node->args) truncate(argument);
    if (const auto* schema = node->schema()) {
      for (std::size_t i = 0; i < node->args.size() && i < schema->arguments().size(); ++i) {
        const c10::IValue* dtype = node->args[i].constant();
        if (dtype && dtype->isInt() && is_dtype(schema->arguments()[i]) &&
            dtype->toInt() == static_cast<std::int64_t>(at::kDouble))
          node->args[i] = Argument(c10::IValue(static_cast<std::int64_t>(at::kFloat)));
      }
    }
    // Weights that are read from the module.
    if (node->kind != c10::prim::GetAttr || !is_double(*node->outputs.front())) continue;
    auto& siblings = node->owner->nodes;
    const auto next = std::next(std::find_if(siblings.begin(), siblings.end(),
                                             [&](const auto& n) { return n.get() == node; }));
    Var* weight = node->outputs.front();
    Var* truncated = cast(graph, *node->owner, next == siblings.end() ? nullptr : next->get(),
                          weight, at::kFloat);
    use_instead(graph, weight, truncated);
  }
  Node* first = body.nodes.empty() ? nullptr : body.nodes.front().get();
  for (Var* input : body.inputs) {
    if (is_double(*input)) use_instead(graph, input, cast(graph, body, first, input, at::kFloat));
  }
}

}  // namespace torch_tensorrt::compiler
