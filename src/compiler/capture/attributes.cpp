#include "compiler/capture/attributes.h"

#include <torch/csrc/jit/ir/alias_analysis.h>
#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/passes/inliner.h>

#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

namespace torch_tensorrt::compiler {
namespace {

namespace jit = torch::jit;

void collect(jit::Block* block, c10::Symbol kind, std::vector<jit::Node*>& out) {
  for (jit::Node* node : block->nodes()) {
    if (node->kind() == kind) out.push_back(node);
    for (jit::Block* inner : node->blocks()) collect(inner, kind, out);
  }
}

/// Names of attributes that a graph sets, or writes in place.
void collect_written(const std::shared_ptr<jit::Graph>& graph,
                     std::unordered_set<std::string>& names) {
  std::vector<jit::Node*> nodes;
  collect(graph->block(), c10::prim::SetAttr, nodes);
  for (const jit::Node* node : nodes) names.insert(node->s(c10::attr::name));
  nodes.clear();
  collect(graph->block(), c10::prim::GetAttr, nodes);
  jit::AliasDb aliases(graph);
  for (const jit::Node* node : nodes) {
    if (aliases.hasWriters(node->output())) names.insert(node->s(c10::attr::name));
  }
}

/// The object behind a value that is self, or an attribute of one that is known.
std::optional<c10::IValue> object_of(const jit::Value* value, const jit::Graph& graph,
                                     const jit::Module& module) {
  if (value == graph.inputs().at(0)) return module._ivalue();
  const jit::Node* node = value->node();
  if (node->kind() != c10::prim::GetAttr) return std::nullopt;
  const auto owner = object_of(node->input(), graph, module);
  if (!owner || !owner->isObject()) return std::nullopt;
  return owner->toObjectRef().getAttr(node->s(c10::attr::name));
}

}  // namespace

void inline_attributes(const std::shared_ptr<jit::Graph>& graph, const jit::Module& module,
                       const std::string& method) {
  std::unordered_set<std::string> written;
  collect_written(graph, written);
  for (const jit::Method& other : module.get_methods()) {
    if (other.name() == method) continue;
    const auto inlined = other.graph()->copy();
    jit::Inline(*inlined);
    collect_written(inlined, written);
  }
  std::vector<jit::Node*> reads;
  collect(graph->block(), c10::prim::GetAttr, reads);
  for (jit::Node* node : reads) {
    if (written.count(node->s(c10::attr::name))) continue;
    auto value = object_of(node->output(), *graph, module);
    if (!value || value->isObject()) continue;
    if (value->isTensor() && value->toTensor().defined()) value = value->toTensor().detach();
    const jit::WithInsertPoint guard(node);
    if (const auto constant = jit::tryInsertConstant(*graph, *value))
      node->output()->replaceAllUsesWith(*constant);
  }
}

}  // namespace torch_tensorrt::compiler
