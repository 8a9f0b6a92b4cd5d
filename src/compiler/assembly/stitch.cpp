#include "compiler/assembly/stitch.h"

#include <algorithm>
#include <unordered_set>

#include "compiler/clone.h"
#include "core/error.h"

namespace torch_tensorrt::compiler {
namespace {

const c10::Symbol kExecute = c10::Symbol::fromQualString("tensorrt::execute_engine");
const c10::Symbol kAccepts = c10::Symbol::fromQualString("tensorrt::engine_accepts");

class Stitcher {
 public:
  Stitcher(Graph& graph, Block& block) : graph_(graph), block_(block) {
    std::size_t index = 0;
    for (const auto& node : block.nodes) rank_[node.get()] = ++index * kSpacing;
  }

  void replace(const BuiltSegment& built) {
    const auto& nodes = built.segment.nodes;
    const std::size_t rank = rank_.at(nodes.back());
    Argument::List inputs;
    for (Var* var : built.inputs) inputs.emplace_back(as_tensor(var, rank));
    const c10::IValue engine(built.engine);
    if (built.segment.speculative) {
      guard(built, std::move(inputs), engine, rank);
    } else {
      Node* execute = graph_.append(block_, kExecute, {std::move(inputs), engine});
      execute->origin = nodes.front()->origin;
      take_outputs(execute, built.segment.outputs);
      rank_[execute] = rank;
    }
    for (auto it = nodes.rbegin(); it != nodes.rend(); ++it) graph_.erase(*it);
  }

  void finish() {
    drop_unread();
    sort_block(block_, rank_);
  }

 private:
  /// Room for the nodes that feed an engine, before it.
  static constexpr std::size_t kSpacing = 4096;

  /// Host arithmetic that only fed a segment is gone with it; the block is not in order yet, so by
  /// rounds.
  void drop_unread() {
    for (bool again = true; again;) {
      again = false;
      std::unordered_set<const Var*> read;
      for (const auto& node : block_.nodes) {
        for (const Var* var : reads(*node)) read.insert(var);
      }
      for (const Argument& output : block_.outputs)
        for_each_var(output, [&](Var* var) { read.insert(var); });
      for (auto it = block_.nodes.begin(); it != block_.nodes.end();) {
        const Node& node = **it;
        const bool live =
            has_effect(node) || std::any_of(node.outputs.begin(), node.outputs.end(),
                                            [&](const Var* var) { return read.count(var) != 0; });
        it = live ? std::next(it) : block_.nodes.erase(it);
        again |= !live;
      }
    }
  }

  /// Engines take tensors: a number goes in as an i64 scalar.
  Var* as_tensor(Var* var, std::size_t rank) {
    if (var->is_tensor()) return var;
    Node* node = graph_.append(block_, c10::prim::NumToTensor, {var});
    rank_[node] = rank - kSpacing / 2;
    return graph_.add_output(node, c10::TensorType::get());
  }

  static void take_outputs(Node* node, const std::vector<Var*>& outputs) {
    for (Var* output : outputs) {
      output->producer = node;
      node->outputs.push_back(output);
    }
  }

  void guard(const BuiltSegment& built, Argument::List inputs, const c10::IValue& engine,
             std::size_t rank) {
    Node* accepts = graph_.append(block_, kAccepts, {inputs, engine});
    Var* condition = graph_.add_output(accepts, c10::BoolType::get());
    rank_[accepts] = rank - 1;
    Node* branch = graph_.append(block_, c10::prim::If, {condition});
    rank_[branch] = rank;
    branch->origin = built.segment.nodes.front()->origin;
    for (int i = 0; i < 2; ++i) {
      branch->blocks.push_back(std::make_unique<Block>());
      branch->blocks.back()->owner = branch;
    }
    Block& fast = *branch->blocks[0];
    Node* execute = graph_.append(fast, kExecute, {std::move(inputs), engine});
    for (const Var* output : built.segment.outputs) {
      fast.outputs.emplace_back(graph_.add_output(execute, output->type, output->name));
    }
    Block& original = *branch->blocks[1];
    VarMap map;
    for (const Node* node : built.segment.nodes) {
      clone_host_inputs(*node, original, map);
      clone_node(graph_, *node, original, nullptr, map);
    }
    for (const Var* output : built.segment.outputs) original.outputs.push_back(map.at(output));
    take_outputs(branch, built.segment.outputs);
  }

  /// The host arithmetic that the engine computes for itself: it may read what the segment gives,
  /// so it must not stay outside of the if.
  void clone_host_inputs(const Node& node, Block& to, VarMap& map) {
    for (const Var* var : reads(node)) {
      const Node* producer = var->producer;
      if (map.count(var) || !producer || producer->owner != &block_ || !is_host(*var) ||
          !is_host(*producer))
        continue;
      if (!op_table().find(producer->name())) continue;
      clone_host_inputs(*producer, to, map);
      clone_node(graph_, *producer, to, nullptr, map);
    }
  }

  Graph& graph_;
  Block& block_;
  std::unordered_map<const Node*, std::size_t> rank_;
};

}  // namespace

void stitch(Graph& graph, Block& block, std::vector<BuiltSegment> segments) {
  if (segments.empty()) return;
  Stitcher stitcher(graph, block);
  for (const BuiltSegment& segment : segments) stitcher.replace(segment);
  stitcher.finish();
}

namespace {

/// A copy is made before `reader`, or at the end of the block.
void copy_constants(Graph& graph, Block& block, Argument& result, Node* reader) {
  if (auto* list = std::get_if<Argument::List>(&result.data)) {
    for (Argument& element : *list) copy_constants(graph, block, element, reader);
  } else if (const Var* var = result.var()) {
    Node* made_by = var->producer;
    const bool nests =
        made_by && made_by->owner == &block &&
        (made_by->kind == c10::prim::TupleConstruct || made_by->kind == c10::prim::ListConstruct ||
         made_by->kind == c10::prim::DictConstruct);
    if (!nests) return;
    for (Argument& element : made_by->args) copy_constants(graph, block, element, made_by);
  } else if (const c10::IValue& constant = *result.constant();
             constant.isTensor() && constant.toTensor().defined()) {
    std::vector<Argument> args{result, c10::IValue()};
    Node* clone = reader ? graph.insert_before(reader, c10::aten::clone, std::move(args))
                         : graph.append(block, c10::aten::clone, std::move(args));
    clone->op = torch::jit::findOperatorFor({"aten::clone", ""});
    result = graph.add_output(clone, c10::TensorType::get());
  }
}

}  // namespace

void copy_constant_results(Graph& graph, Block& block) {
  for (const auto& node : block.nodes) {
    for (const auto& inner : node->blocks) copy_constant_results(graph, *inner);
  }
  for (Argument& result : block.outputs) copy_constants(graph, block, result, nullptr);
}

}  // namespace torch_tensorrt::compiler
