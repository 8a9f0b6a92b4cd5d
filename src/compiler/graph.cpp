#include "compiler/graph.h"

#include <ATen/core/dispatch/Dispatcher.h>

#include <algorithm>
#include <unordered_set>

#include "core/error.h"

namespace torch_tensorrt::compiler {

std::string Node::name() const {
  std::string name = kind.toQualString();
  if (op && !op->schema().overload_name().empty()) name += "." + op->schema().overload_name();
  return name;
}

Var* Graph::new_var(c10::TypePtr type, std::string name) {
  auto var = std::make_unique<Var>();
  var->id = vars_.size();
  var->type = std::move(type);
  var->name = std::move(name);
  vars_.push_back(std::move(var));
  return vars_.back().get();
}

Var* Graph::add_input(Block& block, c10::TypePtr type, std::string name) {
  block.inputs.push_back(new_var(std::move(type), std::move(name)));
  return block.inputs.back();
}

Node* Graph::append(Block& block, c10::Symbol kind, std::vector<Argument> args) {
  auto node = std::make_unique<Node>();
  node->kind = kind;
  node->args = std::move(args);
  node->owner = &block;
  block.nodes.push_back(std::move(node));
  return block.nodes.back().get();
}

namespace {

auto position_of(Node* node) {
  auto& nodes = node->owner->nodes;
  return std::find_if(nodes.begin(), nodes.end(), [&](const auto& n) { return n.get() == node; });
}

void replace_in(Argument& argument, Var* from, const Argument& to) {
  if (auto* var = std::get_if<Var*>(&argument.data)) {
    if (*var == from) argument = to;
  } else if (auto* list = std::get_if<Argument::List>(&argument.data)) {
    for (Argument& element : *list) replace_in(element, from, to);
  }
}

void replace_in(Block& block, Var* from, const Argument& to) {
  for (auto& node : block.nodes) {
    for (Argument& argument : node->args) replace_in(argument, from, to);
    for (auto& inner : node->blocks) replace_in(*inner, from, to);
  }
  for (Argument& output : block.outputs) replace_in(output, from, to);
}

void collect(Block& block, std::vector<Node*>& out) {
  for (auto& node : block.nodes) {
    out.push_back(node.get());
    for (auto& inner : node->blocks) collect(*inner, out);
  }
}

using VarSet = std::unordered_set<const Var*>;

void mark_used(const std::vector<Argument>& arguments, VarSet& used) {
  for (const Argument& argument : arguments)
    for_each_var(argument, [&](Var* var) { used.insert(var); });
}

std::size_t sweep(Block& block, VarSet& used) {
  std::size_t removed = 0;
  mark_used(block.outputs, used);
  for (auto it = block.nodes.end(); it != block.nodes.begin();) {
    --it;
    Node& node = **it;
    const bool live =
        has_effect(node) || std::any_of(node.outputs.begin(), node.outputs.end(),
                                        [&](Var* var) { return used.count(var) != 0; });
    if (!live) {
      it = block.nodes.erase(it);
      ++removed;
      continue;
    }
    for (auto& inner : node.blocks) removed += sweep(*inner, used);
    mark_used(node.args, used);
  }
  return removed;
}

void verify(const Block& block, VarSet defined) {
  const auto check = [&](const Argument& argument, const std::string& user) {
    for_each_var(argument, [&](Var* var) {
      if (!defined.count(var)) {
        throw core::internal_error("[graph] ", user, " uses %", var->id, " before it is defined");
      }
    });
  };
  for (const Var* input : block.inputs) defined.insert(input);
  for (const auto& node : block.nodes) {
    if (node->owner != &block)
      throw core::internal_error("[graph] ", node->name(), " is in a block it does not own");
    if (const auto* schema = node->schema(); schema && !schema->is_vararg()) {
      if (schema->arguments().size() != node->args.size()) {
        throw core::internal_error("[graph] ", node->name(), " has ", node->args.size(),
                                   " arguments, its schema ", schema->arguments().size());
      }
    }
    for (const Argument& argument : node->args) check(argument, node->name());
    for (const auto& inner : node->blocks) verify(*inner, defined);
    for (const Var* output : node->outputs) {
      if (output->producer != node.get()) {
        throw core::internal_error("[graph] %", output->id, " does not know its producer ",
                                   node->name());
      }
      defined.insert(output);
    }
  }
  for (const Argument& output : block.outputs) check(output, "the block's output");
}

}  // namespace

Node* Graph::insert_before(Node* position, c10::Symbol kind, std::vector<Argument> args) {
  auto node = std::make_unique<Node>();
  node->kind = kind;
  node->args = std::move(args);
  node->owner = position->owner;
  node->origin = position->origin;
  return position->owner->nodes.insert(position_of(position), std::move(node))->get();
}

Var* Graph::add_output(Node* node, c10::TypePtr type, std::string name) {
  Var* var = new_var(std::move(type), std::move(name));
  var->producer = node;
  node->outputs.push_back(var);
  return var;
}

void Graph::erase(Node* node) { node->owner->nodes.erase(position_of(node)); }

void Graph::replace_uses(Var* from, const Argument& to) { replace_in(body_, from, to); }

std::size_t Graph::remove_dead() {
  VarSet used;
  return sweep(body_, used);
}

void Graph::verify() const { compiler::verify(body_, {}); }

std::vector<Node*> all_nodes(Block& block) {
  std::vector<Node*> nodes;
  collect(block, nodes);
  return nodes;
}

bool gives_back_integers(c10::Symbol op) {
  static const std::unordered_set<std::string> kOps = {
      "aten::fake_quantize_per_channel_affine", "aten::fake_quantize_per_tensor_affine",
      "quantized_decomposed::dequantize_per_channel", "quantized_decomposed::dequantize_per_tensor",
      "tensorrt::quantize_op"};
  return kOps.count(op.toQualString()) != 0;
}

bool is_eight_bit_weight(const Argument& argument) {
  const auto* value = argument.constant();
  if (!value || !value->isTensor() || !value->toTensor().defined()) return false;
  return value->toTensor().scalar_type() == at::kChar && value->toTensor().dim() >= 2;
}

bool has_effect(const Node& node) {
  static const std::unordered_set<std::string> kEffects = {
      "prim::Print",        "prim::RaiseException", "prim::SetAttr", "prim::CallMethod",
      "prim::CallFunction", "prim::PythonOp",       "aten::warn",    "prim::Enter",
      "prim::Exit",         "aten::manual_seed"};
  if (kEffects.count(node.kind.toQualString())) return true;
  for (const auto& block : node.blocks) {
    for (const auto& inner : block->nodes) {
      if (has_effect(*inner)) return true;
    }
  }
  const auto* schema = node.schema();
  if (!schema) return false;
  for (const auto& argument : schema->arguments()) {
    if (argument.alias_info() && argument.alias_info()->isWrite()) return true;
  }
  const auto handle =
      c10::Dispatcher::singleton().findSchema({schema->name(), schema->overload_name()});
  if (!handle || !handle->hasTag(at::Tag::nondeterministic_seeded)) return false;
  // Dropout carries the tag, but draws nothing in eval mode.
  for (const char* name : {"train", "training"}) {
    const auto train = schema->argumentIndexWithName(name);
    const c10::IValue* known = train ? node.args[*train].constant() : nullptr;
    if (known && known->isBool()) return known->toBool();
  }
  const auto dropout = schema->argumentIndexWithName("dropout_p");
  if (dropout && node.args[*dropout].constant())
    return node.args[*dropout].constant()->toDouble() != 0;
  return true;
}

std::string first_line(const std::exception& error) {
  std::string text = error.what();
  if (const auto* c10_error = dynamic_cast<const c10::Error*>(&error))
    text = c10_error->what_without_backtrace();
  text = text.substr(0, text.find('\n'));
  return text.size() > 240 ? text.substr(0, 240) + "..." : text;
}

std::string where(const core::Origin& origin) {
  std::string place = origin.location;
  if (!origin.scope.empty()) place += place.empty() ? origin.scope : " (" + origin.scope + ")";
  return place.empty() ? "an unknown place" : place;
}

}  // namespace torch_tensorrt::compiler
