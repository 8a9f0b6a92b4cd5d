#include "compiler/capture/functionalize.h"

#include <torch/csrc/jit/runtime/operator.h>

#include <algorithm>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace torch_tensorrt::compiler {
namespace {

namespace jit = torch::jit;

/// Views whose result always shares the input's memory, so that a write goes through.
bool is_strict_view(const jit::Node* node) {
  static const std::unordered_set<std::string> kViews = {
      "aten::slice",   "aten::select", "aten::unsqueeze", "aten::squeeze", "aten::transpose",
      "aten::permute", "aten::view",   "aten::t",         "aten::detach",  "aten::alias",
      "aten::narrow",  "aten::expand", "aten::expand_as", "aten::view_as"};
  return kViews.count(node->kind().toQualString()) != 0 && node->outputs().size() == 1;
}

/// Results that share memory or not, depending on strides, dtypes or devices.
bool is_maybe_view(const jit::Node* node) {
  static const std::unordered_set<std::string> kViews = {"aten::reshape",    "aten::flatten",
                                                         "aten::contiguous", "aten::to",
                                                         "aten::type_as",    "aten::dropout"};
  return kViews.count(node->kind().toQualString()) != 0 && node->outputs().size() == 1;
}

/// "aten::relu" for "aten::relu_" with the same arguments.
std::optional<c10::Symbol> functional_kind(const jit::Node* node) {
  const std::string kind = node->kind().toQualString();
  const auto* schema = node->maybeSchema();
  if (!schema || kind.rfind("aten::", 0) != 0 || kind.back() != '_' ||
      node->outputs().size() != 1 || !node->output()->type()->isSubtypeOf(*c10::TensorType::get()))
    return std::nullopt;
  const c10::OperatorName name(kind.substr(0, kind.size() - 1), schema->overload_name());
  if (!jit::findOperatorFor(name)) return std::nullopt;
  return c10::Symbol::fromQualString(name.name);
}

class Functionalizer {
 public:
  explicit Functionalizer(std::shared_ptr<jit::Graph> graph) : graph_(std::move(graph)) {}

  void run(jit::Block* block) {
    for (auto it = block->nodes().begin(); it != block->nodes().end();) {
      jit::Node* node = *it++;
      for (jit::Block* inner : node->blocks()) run(inner);
      if (functional_kind(node)) rewrite(node);
    }
  }

 private:
  /// The tensors that share memory with `root`, as far as this block shows; false where one
  /// escapes.
  bool collect_tree(jit::Value* root, const jit::Node* write,
                    std::vector<jit::Value*>& tree) const {
    tree.push_back(root);
    for (std::size_t i = 0; i < tree.size(); ++i) {
      for (const jit::Use& use : tree[i]->uses()) {
        jit::Node* user = use.user;
        if (user == write) continue;
        if (user->kind() == c10::prim::Return) continue;  // read only, at the end
        if (only_returned(user) && is_after(user, write)) continue;
        const bool first = use.offset == 0;
        if (first && (is_strict_view(user) || is_maybe_view(user))) {
          if (user->owningBlock() != write->owningBlock()) return false;
          tree.push_back(user->output());
          continue;
        }
        const auto* schema = user->maybeSchema();
        const bool plain_list =
            user->kind() == c10::prim::ListConstruct && reads_only(user->output());
        if (plain_list) continue;
        if (!schema || use.offset >= schema->arguments().size()) return false;
        const auto* alias = schema->arguments()[use.offset].alias_info();
        if (alias && !(first && functional_kind(user)))
          return false;                             // another alias, or a write that stays
        if (alias) tree.push_back(user->output());  // an in-place op that is rewritten later
      }
    }
    return true;
  }

  /// A list that only feeds ops that copy from it (cat, stack, index).
  static bool reads_only(const jit::Value* list) {
    return std::all_of(list->uses().begin(), list->uses().end(), [](const jit::Use& use) {
      const auto* schema = use.user->maybeSchema();
      return schema && use.offset < schema->arguments().size() &&
             !schema->arguments()[use.offset].alias_info();
    });
  }

  /// A tuple, list or dict of results.
  static bool only_returned(const jit::Node* node) {
    const auto kind = node->kind();
    const bool arranges = kind == c10::prim::TupleConstruct || kind == c10::prim::ListConstruct ||
                          kind == c10::prim::DictConstruct;
    return arranges && std::all_of(node->output()->uses().begin(), node->output()->uses().end(),
                                   [](const jit::Use& use) {
                                     return use.user->kind() == c10::prim::Return ||
                                            only_returned(use.user);
                                   });
  }

  /// Does `user`, or the node of this block that contains it, come after `node`?
  static bool is_after(jit::Node* user, const jit::Node* node) {
    if (user->kind() == c10::prim::Return && user->owningBlock() == node->owningBlock())
      return true;
    while (user->owningBlock() != node->owningBlock()) {
      if (!user->owningBlock()->owningNode()) return true;
      user = user->owningBlock()->owningNode();
    }
    return user->isAfter(node);
  }

  static bool used_after(const jit::Value* value, const jit::Node* node) {
    return std::any_of(value->uses().begin(), value->uses().end(), [&](const jit::Use& use) {
      return use.user != node && is_after(use.user, node);
    });
  }

  void rewrite(jit::Node* write) {
    jit::Value* target = write->input(0);
    std::vector<jit::Node*> chain;  // views from the target up to the root
    jit::Value* root = target;
    while (is_strict_view(root->node()) || is_maybe_view(root->node())) {
      chain.push_back(root->node());
      root = root->node()->input(0);
    }
    if (root->node()->owningBlock() != write->owningBlock()) return;
    if (!is_fresh(root->node()) && !is_own_piece(root, write)) return;
    std::vector<jit::Value*> tree;
    if (!collect_tree(root, write, tree)) return;

    // How far up the new value must go: to the highest tensor of the chain whose memory is read
    // later.
    const std::unordered_set<jit::Value*> below = descendants(target, tree);
    const bool others = std::any_of(tree.begin(), tree.end(), [&](jit::Value* value) {
      return !below.count(value) && used_after(value, write);
    });
    if (others) {
      const bool sure = std::all_of(chain.begin(), chain.end(),
                                    [](const jit::Node* view) { return can_invert(view); });
      if (!sure) return;
    }

    // Views made before the write and read after it are made again from the new memory. The target
    // too, so that later writes go through it.
    std::vector<jit::Value*> again;
    for (jit::Value* member : tree) {
      const bool read = used_after(member, write) || (member == target && write->hasUses());
      if (read && member != root && !member->node()->isAfter(write)) again.push_back(member);
    }
    jit::Value* base = others ? root : target;
    for (const jit::Value* member : again) {
      // One that may be a copy keeps its elements then.
      for (; member != base; member = member->node()->input(0))
        if (!is_strict_view(member->node())) return;
    }

    const jit::WithInsertPoint guard(write);
    jit::Value* value = emit(write, *functional_kind(write), write->inputs().vec());
    if (others) {
      for (jit::Node* view : chain) value = invert(view, value);
    }
    std::unordered_map<jit::Value*, jit::Value*> renewed = {{base, value}};
    for (jit::Value* member : again) renew(member, renewed);
    for (const auto& [old, fresh] : renewed) replace_after(old, fresh, write);
    if (write->hasUses()) write->output()->replaceAllUsesWith(renewed.at(target));
    write->destroy();
  }

  /// The view `member` of what its parent became.
  jit::Value* renew(jit::Value* member, std::unordered_map<jit::Value*, jit::Value*>& renewed) {
    if (const auto known = renewed.find(member); known != renewed.end()) return known->second;
    std::vector<jit::Value*> inputs = member->node()->inputs().vec();
    inputs[0] = renew(inputs[0], renewed);
    return renewed[member] = emit(member->node(), member->node()->kind(), inputs);
  }

  /// Does the node make new memory?
  static bool is_fresh(const jit::Node* node) {
    const auto* schema = node->maybeSchema();
    return schema &&
           std::none_of(schema->returns().begin(), schema->returns().end(),
                        [](const c10::Argument& result) { return result.alias_info() != nullptr; });
  }

  /// A piece of a tensor that was only made to be split: pieces do not overlap, and nothing else
  /// reads the whole.
  static bool is_own_piece(const jit::Value* piece, const jit::Node* write) {
    static const std::unordered_set<std::string> kSplits = {
        "aten::chunk",        "aten::split",        "aten::split_with_sizes",
        "aten::unsafe_chunk", "aten::unsafe_split", "aten::unbind"};
    if (piece->node()->kind() != c10::prim::ListUnpack) return false;
    const jit::Value* list = piece->node()->input();
    if (list->uses().size() != 1 || !kSplits.count(list->node()->kind().toQualString()))
      return false;
    const jit::Value* whole = list->node()->input(0);
    return is_fresh(whole->node()) && whole->uses().size() == 1 &&
           whole->node()->owningBlock() == write->owningBlock();
  }

  static std::unordered_set<jit::Value*> descendants(jit::Value* target,
                                                     const std::vector<jit::Value*>& tree) {
    std::unordered_set<jit::Value*> below = {target};
    for (jit::Value* member : tree) {  // parents come first
      if (!member->node()->inputs().empty() && below.count(member->node()->input(0)))
        below.insert(member);
    }
    return below;
  }

  static void replace_after(jit::Value* old, jit::Value* fresh, const jit::Node* write) {
    const std::vector<jit::Use> uses = old->uses();
    for (const jit::Use& use : uses) {
      if (use.user != write && use.user != fresh->node() && is_after(use.user, write)) {
        use.user->replaceInput(use.offset, fresh);
      }
    }
  }

  static bool can_invert(const jit::Node* view) {
    static const std::unordered_set<std::string> kInvertible = {
        "aten::slice", "aten::select", "aten::unsqueeze", "aten::detach",
        "aten::alias", "aten::view",   "aten::transpose"};
    return kInvertible.count(view->kind().toQualString()) != 0;
  }

  /// The parent's new value, given the view's.
  jit::Value* invert(jit::Node* view, jit::Value* value) {
    const std::string kind = view->kind().toQualString();
    jit::Value* parent = view->input(0);
    std::vector<jit::Value*> inputs = view->inputs().vec();
    if (kind == "aten::detach" || kind == "aten::alias") return value;
    if (kind == "aten::slice" || kind == "aten::select") {
      inputs.insert(inputs.begin() + 1, value);
      const std::string inverse =
          kind == "aten::slice" ? "aten::slice_scatter" : "aten::select_scatter";
      return emit(view, c10::Symbol::fromQualString(inverse), inputs);
    }
    if (kind == "aten::unsqueeze")
      return emit(view, c10::Symbol::fromQualString("aten::squeeze"), {value, inputs[1]});
    if (kind == "aten::transpose") return emit(view, view->kind(), {value, inputs[1], inputs[2]});
    jit::Node* size = graph_->insertNode(graph_->create(c10::aten::size, {parent}, 1));
    size->output()->setType(c10::ListType::ofInts());
    return emit(view, c10::Symbol::fromQualString("aten::view"), {value, size->output()});
  }

  jit::Value* emit(jit::Node* like, c10::Symbol kind, const std::vector<jit::Value*>& inputs) {
    jit::Node* node = graph_->create(kind, inputs, 1);
    node->setSourceRange(like->sourceRange());
    node->setScope(like->scope());
    if (const auto stack = like->callstack()) node->setCallStack(*stack);
    node->output()->setType(c10::TensorType::get());
    return graph_->insertNode(node)->output();
  }

  std::shared_ptr<jit::Graph> graph_;
};

}  // namespace

void functionalize(const std::shared_ptr<torch::jit::Graph>& graph) {
  Functionalizer(graph).run(graph->block());
}

}  // namespace torch_tensorrt::compiler
