#include "compiler/lowering/passes.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "compiler/clone.h"
#include "compiler/lowering/containers.h"
#include "core/log.h"

namespace torch_tensorrt::compiler {
namespace {

std::size_t node_count(const Block& block) {
  std::size_t count = 0;
  for (const auto& node : block.nodes) {
    ++count;
    for (const auto& inner : node->blocks) count += node_count(*inner);
  }
  return count;
}

std::size_t tensor_bytes(const c10::IValue& value) {
  return value.isTensor() && value.toTensor().defined() ? value.toTensor().nbytes() : 0;
}

bool is_float(const c10::IValue& value) {
  return value.isTensor() && value.toTensor().is_floating_point();
}

/// Engines store quantized weights as integers.
bool keeps_integers(const Node& node) {
  if (gives_back_integers(node.kind)) return true;
  return (node.kind == c10::aten::to || node.kind == c10::aten::_to_copy) &&
         is_eight_bit_weight(node.args.front()) &&
         is_float(node.outputs.front()->fact->samples.front());
}

/// Folding must not blow the model up: a broadcast of a small weight stays a broadcast.
bool worth_folding(const Node& node) {
  if (keeps_integers(node)) return false;
  constexpr std::size_t kAlwaysFine = std::size_t{4} << 20;
  std::size_t before = 0, after = 0;
  for (const Argument& argument : node.args) {
    if (argument.constant()) before += tensor_bytes(*argument.constant());
  }
  for (const Var* output : node.outputs) after += tensor_bytes(output->fact->samples.front());
  return after <= kAlwaysFine || after <= 2 * before;
}

void note_tensors(const Argument& argument, std::unordered_set<const void*>& places) {
  if (const auto* list = argument.list()) {
    for (const Argument& element : *list) note_tensors(element, places);
  } else if (const auto* value = argument.constant(); value && value->isTensor() &&
                                                      value->toTensor().defined() &&
                                                      value->toTensor().device().is_cpu()) {
    places.insert(value->toTensor().const_data_ptr());
  }
}

bool is_foldable(const c10::IValue& value) {
  return value.isTensor() ? value.toTensor().defined()
                          : value.isInt() || value.isDouble() || value.isBool() || value.isNone() ||
                                value.isString() || value.isDevice() || value.isIntList() ||
                                value.isDoubleList() || value.isBoolList();
}

}  // namespace

std::size_t fold_constants(Graph& graph) {
  std::size_t folded = 0;
  for (Node* node : all_nodes(graph.body())) {
    if (!node->op || node->outputs.empty() || !node->blocks.empty() || has_effect(*node)) continue;
    const bool known = std::all_of(node->outputs.begin(), node->outputs.end(), [](Var* output) {
      const auto value = known_constant(output);
      return value && is_foldable(*value);
    });
    if (!known || !worth_folding(*node)) continue;
    for (const Argument& argument : node->args) note_tensors(argument, graph.computed_with);
    for (Var* output : node->outputs) graph.replace_uses(output, *known_constant(output));
    graph.erase(node);
    ++folded;
  }
  return folded;
}

std::size_t fold_branches(Graph& graph) {
  std::size_t folded = 0;
  for (bool again = true; again;) {
    again = false;
    for (Node* node : all_nodes(graph.body())) {
      if (node->kind != c10::prim::If) continue;
      const auto condition = known_constant(node->args[0]);
      if (!condition || !condition->isBool()) continue;
      VarMap map;
      const Block& taken = *node->blocks[condition->toBool() ? 0 : 1];
      const auto outputs = clone_into(graph, taken, *node->owner, node, map);
      for (std::size_t i = 0; i < outputs.size(); ++i)
        graph.replace_uses(node->outputs[i], outputs[i]);
      graph.erase(node);
      ++folded;
      again = true;
      break;
    }
  }
  return folded;
}

std::size_t unroll_loops(Graph& graph) {
  constexpr std::int64_t kMaxTrips = 256;
  constexpr std::size_t kMaxNodes = 8192;
  for (Node* node : all_nodes(graph.body())) {
    if (node->kind != c10::prim::Loop) continue;
    const Block& body = *node->blocks[0];
    const auto trips = known_constant(node->args[0]);
    const auto enters = known_constant(node->args[1]);
    const auto goes_on = known_constant(body.outputs[0]);
    if (!trips || !enters || !goes_on || !goes_on->toBool()) continue;
    const std::int64_t count = enters->toBool() ? trips->toInt() : 0;
    if (count > kMaxTrips || node_count(body) * static_cast<std::size_t>(count) > kMaxNodes)
      continue;
    std::vector<Argument> carried(node->args.begin() + 2, node->args.end());
    for (std::int64_t trip = 0; trip < count; ++trip) {
      VarMap map;
      map[body.inputs[0]] = c10::IValue(trip);
      for (std::size_t i = 0; i < carried.size(); ++i) map[body.inputs[i + 1]] = carried[i];
      const auto outputs = clone_into(graph, body, *node->owner, node, map);
      carried.assign(outputs.begin() + 1, outputs.end());
    }
    for (std::size_t i = 0; i < carried.size(); ++i)
      graph.replace_uses(node->outputs[i], carried[i]);
    graph.erase(node);
    return 1;  // nodes of the list may be gone: the caller comes again
  }
  return 0;
}

std::size_t fold_tuples(Graph& graph) {
  std::size_t folded = 0;
  for (Node* node : all_nodes(graph.body())) {
    const bool unpacks = node->kind == c10::prim::TupleUnpack;
    if (!unpacks && node->kind != c10::prim::TupleIndex) continue;
    const Var* tuple = node->args[0].var();
    if (!tuple || !tuple->producer || tuple->producer->kind != c10::prim::TupleConstruct) continue;
    const std::vector<Argument> elements = tuple->producer->args;
    for (std::size_t i = 0; i < node->outputs.size(); ++i) {
      const auto index = unpacks ? std::optional<c10::IValue>(static_cast<std::int64_t>(i))
                                 : known_constant(node->args[1]);
      if (!index) continue;
      const auto count = static_cast<std::int64_t>(elements.size());
      const std::int64_t at = index->toInt() < 0 ? index->toInt() + count : index->toInt();
      if (at < 0 || at >= count) continue;
      graph.replace_uses(node->outputs[i], elements[static_cast<std::size_t>(at)]);
      ++folded;
    }
  }
  return folded;
}

namespace {

/// Replaces every use of a tensor list that a list of arguments can stand for.
struct ListUses {
  Graph& graph;
  Var* list;
  const Argument::List& elements;
  bool others = false;  // uses that need the list itself

  void visit(Block& block) {
    for (auto it = block.nodes.begin(); it != block.nodes.end();) {
      Node* node = (it++)->get();
      for (auto& inner : node->blocks) visit(*inner);
      visit(*node);
    }
    for (Argument& output : block.outputs) {
      for_each_var(output, [&](Var*& var) { others |= var == list; });
    }
  }

  void visit(Node& node) {
    for (std::size_t i = 0; i < node.args.size(); ++i) {
      if (node.args[i].var() != list) continue;
      if (node.kind == c10::prim::ListUnpack) {
        if (node.outputs.size() == elements.size() && node.outputs[0] != elements[0].var()) {
          for (std::size_t e = 0; e < elements.size(); ++e)
            graph.replace_uses(node.outputs[e], elements[e]);
        }
      } else if (std::string(node.kind.toQualString()) == "aten::__getitem__") {
        const auto index = known_constant(node.args[1]);
        if (!index) {
          others = true;
          continue;
        }
        const auto count = static_cast<std::int64_t>(elements.size());
        const std::int64_t at = index->toInt() < 0 ? index->toInt() + count : index->toInt();
        if (at >= 0 && at < count)
          graph.replace_uses(node.outputs[0], elements[static_cast<std::size_t>(at)]);
      } else if (node.op && !has_effect(node)) {
        node.args[i] = elements;
      } else {
        others = true;
      }
    }
  }
};

/// A list of tensors that always has one length, or 0.
std::size_t fixed_length(const Var& list) {
  const auto type = list.type->cast<c10::ListType>();
  if (!type || type->getElementType()->kind() != c10::TypeKind::TensorType || !list.fact ||
      list.fact->speculative)
    return 0;
  const auto& samples = list.fact->samples;
  const std::size_t length = samples.front().toListRef().size();
  const bool fixed = std::all_of(samples.begin(), samples.end(), [&](const auto& sample) {
    return sample.toListRef().size() == length;
  });
  return fixed ? length : 0;
}

/// The elements of `list` as values, unpacked before `position` (or at the end of `block`).
Argument::List unpacked(Graph& graph, Block& block, Node* position, Var* list, std::size_t length) {
  Node* unpack = position ? graph.insert_before(position, c10::prim::ListUnpack, {list})
                          : graph.append(block, c10::prim::ListUnpack, {list});
  if (list->producer) unpack->origin = list->producer->origin;
  Argument::List elements;
  for (std::size_t i = 0; i < length; ++i)
    elements.emplace_back(graph.add_output(unpack, c10::TensorType::get()));
  return elements;
}

}  // namespace

std::size_t unpack_lists(Graph& graph) {
  std::size_t changed = 0;
  Block& body = graph.body();
  for (Var* input : body.inputs) {
    const std::size_t length = fixed_length(*input);
    if (length == 0) continue;
    Node* first = body.nodes.empty() ? nullptr : body.nodes.front().get();
    ListUses{graph, input, unpacked(graph, body, first, input, length)}.visit(body);
    ++changed;
  }
  for (Node* node : all_nodes(body)) {
    if (node->outputs.size() != 1 || !node->blocks.empty()) continue;
    Var* list = node->outputs[0];
    const std::size_t length = fixed_length(*list);
    if (length == 0) continue;
    Argument::List elements;
    if (node->kind == c10::prim::ListConstruct) {
      elements = node->args;
    } else {
      auto& nodes = node->owner->nodes;
      const auto next = std::next(
          std::find_if(nodes.begin(), nodes.end(), [&](const auto& n) { return n.get() == node; }));
      elements =
          unpacked(graph, *node->owner, next == nodes.end() ? nullptr : next->get(), list, length);
      elements.front().var()->producer->origin = node->origin;
    }
    ListUses{graph, list, elements}.visit(body);
    ++changed;
  }
  return changed;
}

void lower(Graph& graph, const std::vector<Probe>& probes, std::size_t required,
           const std::vector<std::size_t>& fixed) {
  constexpr int kMaxRounds = 64;
  functionalize_containers(graph);
  infer_facts(graph, probes, required, fixed);
  for (int round = 0; round < kMaxRounds; ++round) {
    std::size_t changed = fold_branches(graph) + unroll_loops(graph) + fold_tuples(graph);
    fold_constants(graph);
    graph.remove_dead();
    changed += functionalize_containers(graph);
    if (changed == 0) break;
    infer_facts(graph, probes, required, fixed);
  }
  unpack_lists(graph);
  graph.remove_dead();
  infer_facts(graph, probes, required, fixed);
  fold_constants(graph);
  graph.remove_dead();
  graph.verify();
  if (core::log_enabled(core::LogLevel::graph))
    core::log(core::LogLevel::graph, "after lowering:\n" + graph.to_text());
}

}  // namespace torch_tensorrt::compiler
