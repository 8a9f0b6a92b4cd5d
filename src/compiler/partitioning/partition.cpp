#include "compiler/partitioning/partition.h"

#include <algorithm>
#include <map>
#include <queue>
#include <set>
#include <unordered_set>

#include "compiler/op_kinds.h"
#include "core/error.h"
#include "core/log.h"

namespace torch_tensorrt::compiler {
namespace {

const c10::Symbol kExecuteEngine = c10::Symbol::fromQualString("tensorrt::execute_engine");

void collect_reads(const Block& block, std::vector<Var*>& out) {
  const auto add = [&](Var* var) { out.push_back(var); };
  for (const auto& node : block.nodes) {
    for (const Argument& argument : node->args) for_each_var(argument, add);
    for (const auto& inner : node->blocks) collect_reads(*inner, out);
  }
  for (const Argument& output : block.outputs) for_each_var(output, add);
}

bool excluded_op(const Node& node, const core::Settings& settings) {
  const auto& ops = settings.torch_executed_ops;
  return std::any_of(ops.begin(), ops.end(), [&](const std::string& op) {
    return op == node.qualified_kind() || op == node.name();
  });
}

/// A module's path, a path above it, or the class of a module around the node.
bool excluded_module(const Node& node, const std::string& module) {
  const std::string& scope = node.origin.scope;
  if (scope == module || scope.rfind(module + ".", 0) == 0) return true;
  return std::find(node.module_types.begin(), node.module_types.end(), module) !=
         node.module_types.end();
}

/// A name that names nothing keeps nothing in PyTorch: mostly a typing error, so it is said.
void warn_of_unknown_names(const std::vector<Node*>& nodes, const core::Settings& settings) {
  for (const std::string& op : settings.torch_executed_ops) {
    const std::string kind = op.substr(0, op.find('.'));
    if (kind.find("::") != std::string::npos &&
        !torch::jit::getAllOperatorsFor(c10::Symbol::fromQualString(kind)).empty())
      continue;
    core::log_warning("[partitioning] torch_executed_ops names ", op,
                      ", which is no op that PyTorch knows, so it keeps nothing in PyTorch");
  }
  for (const std::string& module : settings.torch_executed_modules) {
    if (std::any_of(nodes.begin(), nodes.end(),
                    [&](const Node* node) { return excluded_module(*node, module); }))
      continue;
    core::log_warning("[partitioning] torch_executed_modules names ", module,
                      ", but no op comes from a module of that path or class, so it keeps nothing "
                      "in PyTorch");
  }
}

void refuse(Decisions& decisions, const Node* node, std::string code, std::string reason) {
  decisions[node] = {false, std::move(code), std::move(reason)};
}

/// Does its result follow from how a tensor lies in memory?
bool reads_strides(const Node& node) {
  static const std::set<std::string> kKinds = {"aten::as_strided", "aten::stride",
                                               "aten::storage_offset", "aten::is_contiguous"};
  return kKinds.count(node.qualified_kind()) != 0;
}

/// An engine gives contiguous results: what makes a tensor of other strides stays in PyTorch.
void keep_strides(Decisions& decisions, const Var* tensor, const std::string& reader) {
  const auto is_plain = [](const c10::IValue& sample) {
    return sample.isTensor() && sample.toTensor().is_contiguous() &&
           sample.toTensor().storage_offset() == 0;
  };
  Node* const producer = tensor && tensor->is_tensor() ? tensor->producer : nullptr;
  if (!producer) return;
  if (tensor->fact && std::ranges::all_of(tensor->fact->samples, is_plain)) return;
  if (const auto found = decisions.find(producer); found != decisions.end() && found->second.yes)
    refuse(decisions, producer, "strides",
           core::text(reader, " reads how its result lies in memory"));
  for (const Argument& argument : producer->args)
    for_each_var(argument, [&](const Var* var) { keep_strides(decisions, var, reader); });
}

/// How far a value depends on engines (E) and on PyTorch (T): an engine node runs at the first
/// level at which all engine nodes it needs run and after all PyTorch nodes it needs; engine nodes
/// of one level form one segment without cycles.
struct Level {
  int engine = -1;
  int torch = -1;
  void meet(const Level& other) {
    engine = std::max(engine, other.engine);
    torch = std::max(torch, other.torch);
  }
};

class Leveler {
 public:
  Leveler(Block& block, const Decisions& decisions) : block_(block), decisions_(decisions) {}

  /// Engine nodes by level.
  std::map<int, std::vector<Node*>> run() {
    std::map<int, std::vector<Node*>> segments;
    Level all, barrier, chain;
    for (auto& node : block_.nodes) {
      Level level = barrier;
      for (const Var* var : reads(*node)) {
        if (var->producer && var->producer->owner == &block_) level.meet(levels_.at(var->producer));
      }
      if (is_host(*node) && !is_ordered(*node)) {
        // What a segment cannot compute again comes to it from PyTorch.
        if (!op_table().find(node->name())) level = {-1, std::max(level.torch, level.engine)};
        levels_[node.get()] = level;
        continue;
      }
      const auto decision = decisions_.find(node.get());
      if (decision != decisions_.end() && decision->second.yes) {
        const int at = std::max(level.engine, level.torch + 1);
        levels_[node.get()] = {at, -1};
        segments[at].push_back(node.get());
      } else {
        if (is_ordered(*node)) level.meet(chain);
        if (is_write(*node)) level.meet(all);
        levels_[node.get()] = {-1, std::max(level.torch, level.engine)};
        if (is_ordered(*node)) chain = levels_[node.get()];
        if (is_write(*node)) barrier = levels_[node.get()];
      }
      all.meet(levels_[node.get()]);
    }
    return segments;
  }

 private:
  Block& block_;
  const Decisions& decisions_;
  std::unordered_map<const Node*, Level> levels_;
};

/// A list never crosses a border: who makes one and who takes it apart go together.
bool demote_split_lists(std::map<int, std::vector<Node*>>& segments, Decisions& decisions) {
  bool changed = false;
  for (auto& [level, nodes] : segments) {
    const std::unordered_set<const Node*> members(nodes.begin(), nodes.end());
    for (Node* node : nodes) {
      if (node->kind != c10::prim::ListUnpack) continue;
      const Var* list = node->args[0].var();
      if (list && list->producer && members.count(list->producer)) continue;
      refuse(decisions, node, "list", "the list that it takes apart is made in PyTorch");
      changed = true;
    }
  }
  return changed;
}

/// How many ops min_block_size counts: a recurrent op is a loop, whose one step has 4 (rnn_relu) to
/// 13 (lstm) ops, so each is worth an engine by default.
std::size_t op_count(const std::vector<Node*>& nodes) {
  constexpr std::size_t kOpsOfLoop = 8;
  std::size_t count = 0;
  for (const Node* node : nodes) {
    if (node->kind == c10::prim::ListUnpack) continue;
    count += is_recurrent(*node) ? kOpsOfLoop : 1;
  }
  return count;
}

bool has_list_output(const Node& node) {
  return std::any_of(node.outputs.begin(), node.outputs.end(),
                     [](const Var* var) { return var->type->cast<c10::ListType>() != nullptr; });
}

bool is_speculative(const std::vector<Node*>& nodes) {
  const std::unordered_set<const Node*> members(nodes.begin(), nodes.end());
  for (const Node* node : nodes) {
    for (const Var* var : reads(*node)) {
      const bool inside = var->producer && members.count(var->producer);
      if (!inside && var->fact && var->fact->speculative && !(is_host(*var) && !var->is_tensor()))
        return true;
      if (!inside && is_host(*var) && var->fact && var->fact->speculative) return true;
    }
  }
  return false;
}

/// What the rest of the program reads of the segments: everything that PyTorch nodes and block
/// outputs need, through host arithmetic that is still alive once the segments' own nodes are gone.
class Needs {
 public:
  Needs(Block& block, const std::vector<Segment>& segments) : block_(block) {
    for (const Segment& segment : segments) {
      for (const Node* node : segment.nodes) segment_of_[node] = &segment;
    }
    for (const Argument& output : block.outputs) for_each_var(output, [&](Var* var) { need(var); });
    for (const auto& node : block.nodes) {
      if (segment_of_.count(node.get())) continue;
      if (is_host(*node) && !is_ordered(*node)) continue;
      for (Var* var : reads(*node)) need(var);
    }
    for (const Segment& segment : segments) need_inputs(segment);
  }

  bool has(const Var* var) const { return needed_.count(var) != 0; }

 private:
  void need(const Var* var) {
    if (!needed_.insert(var).second) return;
    const Node* producer = var->producer;
    if (!producer || producer->owner != &block_ || segment_of_.count(producer)) return;
    for (const Var* input : reads(*producer)) need(input);
  }

  /// Tensors of other segments; and what host arithmetic inside reads, down to its tensors.
  void need_inputs(const Segment& segment) {
    std::vector<const Var*> todo;
    std::unordered_set<const Var*> seen;
    const auto push = [&](const Node& node) {
      for (const Var* var : reads(node)) {
        if (seen.insert(var).second) todo.push_back(var);
      }
    };
    for (const Node* node : segment.nodes) push(*node);
    while (!todo.empty()) {
      const Var* var = todo.back();
      todo.pop_back();
      const Node* producer = var->producer;
      if (!producer || producer->owner != &block_) continue;
      const auto owner = segment_of_.find(producer);
      if (owner != segment_of_.end()) {
        if (owner->second != &segment) needed_.insert(var);
      } else if (known_constant(const_cast<Var*>(var))) {
        continue;
      } else if (is_host(*var) && is_host(*producer) && op_table().find(producer->name())) {
        push(*producer);  // computed again inside
      } else {
        need(var);
      }
    }
  }

  Block& block_;
  std::unordered_map<const Node*, const Segment*> segment_of_;
  std::unordered_set<const Var*> needed_;
};

}  // namespace

std::vector<Var*> reads(const Node& node) {
  std::vector<Var*> vars;
  for (const Argument& argument : node.args)
    for_each_var(argument, [&](Var* var) { vars.push_back(var); });
  for (const auto& inner : node.blocks) collect_reads(*inner, vars);
  return vars;
}

bool is_ordered(const Node& node) {
  if (node.kind == c10::prim::GetAttr)
    return node.outputs[0]->type->kind() != c10::TypeKind::ClassType;
  return has_effect(node);
}

bool is_write(const Node& node) {
  for (const auto& block : node.blocks) {
    for (const auto& inner : block->nodes) {
      if (is_write(*inner)) return true;
    }
  }
  const auto* schema = node.schema();
  return schema && schema->is_mutable();
}

Decisions decide(Graph& graph, const core::Settings& settings, const core::EnginePlugin& plugin) {
  Decisions decisions;
  const std::vector<Node*> nodes = all_nodes(graph.body());
  warn_of_unknown_names(nodes, settings);
  for (Node* node : nodes) {
    if (is_host(*node)) continue;
    if (node->kind == kExecuteEngine) {
      refuse(decisions, node, "engine", "it is an engine already");
      continue;
    }
    if (excluded_op(*node, settings)) {
      refuse(decisions, node, "user", "listed in torch_executed_ops");
      continue;
    }
    const auto& modules = settings.torch_executed_modules;
    const auto module = std::find_if(modules.begin(), modules.end(), [&](const std::string& name) {
      return excluded_module(*node, name);
    });
    if (module != modules.end()) {
      refuse(decisions, node, "user",
             core::text("its module ", *module, " is listed in torch_executed_modules"));
      continue;
    }
    decisions[node] = supports(*node, plugin);
  }
  for (const Node* node : nodes) {
    const auto decision = decisions.find(node);
    const bool converted = decision != decisions.end() && decision->second.yes;
    if (reads_strides(*node) && !converted)
      keep_strides(decisions, node->args[0].var(), node->name());
  }
  return decisions;
}

std::vector<Segment> partition(Block& block, const core::Settings& settings, Decisions& decisions) {
  const auto min_size =
      settings.require_full_compilation ? 1 : std::max<std::int64_t>(1, settings.min_block_size);
  std::map<int, std::vector<Node*>> levels;
  for (bool changed = true; changed;) {
    levels = Leveler(block, decisions).run();
    changed = demote_split_lists(levels, decisions);
    if (changed) continue;
    for (const auto& [level, nodes] : levels) {
      const std::size_t count = op_count(nodes);
      if (static_cast<std::int64_t>(count) >= min_size) continue;
      for (const Node* node : nodes) {
        refuse(decisions, node, "min_block_size",
               core::text("its group has ", count, count == 1 ? " op" : " ops",
                          ", fewer than min_block_size ", min_size));
      }
      changed = true;
      break;
    }
    if (changed) continue;
    // A list that something outside its segment reads cannot come out of an engine.
    std::vector<Segment> segments;
    for (const auto& [level, nodes] : levels) segments.push_back({nodes, {}, false});
    const Needs needs(block, segments);
    for (const Segment& segment : segments) {
      for (const Node* node : segment.nodes) {
        if (!has_list_output(*node) || !needs.has(node->outputs[0])) continue;
        refuse(decisions, node, "list", "it gives a list that PyTorch needs");
        changed = true;
      }
    }
  }
  std::vector<Segment> segments;
  for (auto& [level, nodes] : levels) {
    const bool speculative = is_speculative(nodes);
    segments.push_back({std::move(nodes), {}, speculative});
  }
  const Needs needs(block, segments);
  for (Segment& segment : segments) {
    for (const Node* node : segment.nodes) {
      for (Var* output : node->outputs) {
        if (needs.has(output)) segment.outputs.push_back(output);
      }
    }
  }
  return segments;
}

void sort_block(Block& block, const std::unordered_map<const Node*, std::size_t>& rank) {
  std::vector<Node*> nodes;
  for (auto& node : block.nodes) nodes.push_back(node.get());
  std::stable_sort(nodes.begin(), nodes.end(),
                   [&](Node* a, Node* b) { return rank.at(a) < rank.at(b); });
  std::unordered_map<const Node*, std::vector<Node*>> after;
  std::unordered_map<const Node*, std::size_t> waiting;
  const auto edge = [&](const Node* from, Node* to) {
    if (from == to) return;
    after[from].push_back(to);
    ++waiting[to];
  };
  const Node* chain = nullptr;
  const Node* barrier = nullptr;
  std::vector<const Node*> since_barrier;
  for (Node* node : nodes) {
    for (const Var* var : reads(*node)) {
      if (var->producer && var->producer->owner == &block) edge(var->producer, node);
    }
    if (barrier) edge(barrier, node);
    if (is_write(*node)) {
      for (const Node* earlier : since_barrier) edge(earlier, node);
      since_barrier.clear();
      barrier = node;
    }
    since_barrier.push_back(node);
    if (is_ordered(*node)) {
      if (chain) edge(chain, node);
      chain = node;
    }
  }
  const auto later = [&](const Node* a, const Node* b) { return rank.at(a) > rank.at(b); };
  std::priority_queue<Node*, std::vector<Node*>, decltype(later)> ready(later);
  for (Node* node : nodes) {
    if (waiting[node] == 0) ready.push(node);
  }
  std::unordered_map<const Node*, std::unique_ptr<Node>> owned;
  for (auto& node : block.nodes) {
    const Node* key = node.get();
    owned[key] = std::move(node);
  }
  block.nodes.clear();
  while (!ready.empty()) {
    Node* node = ready.top();
    ready.pop();
    block.nodes.push_back(std::move(owned.at(node)));
    for (Node* next : after[node]) {
      if (--waiting[next] == 0) ready.push(next);
    }
  }
  if (block.nodes.size() == nodes.size()) return;
  std::vector<std::string> stuck;
  for (const auto& [key, node] : owned) {
    if (node) stuck.push_back(node->name() + " at " + where(node->origin));
  }
  stuck.resize(std::min<std::size_t>(stuck.size(), 8));
  throw core::internal_error("[partitioning] the segments depend on each other in a circle: ",
                             core::join(stuck));
}

}  // namespace torch_tensorrt::compiler
