#include "compiler/lowering/containers.h"

#include <algorithm>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

namespace torch_tensorrt::compiler {
namespace {

bool is_container(const c10::TypePtr& type) {
  switch (type->kind()) {
    case c10::TypeKind::ListType:
    case c10::TypeKind::DictType:
      return true;
    case c10::TypeKind::TupleType:
    case c10::TypeKind::OptionalType: {
      const auto inner = type->containedTypes();
      return std::any_of(inner.begin(), inner.end(), is_container);
    }
    default:
      return false;
  }
}

/// The list or dict that a node writes to, or null.
Var* written(const Node& node) {
  const auto* schema = node.schema();
  if (!schema) return nullptr;
  for (std::size_t i = 0; i < node.args.size() && i < schema->arguments().size(); ++i) {
    const auto* alias = schema->arguments()[i].alias_info();
    Var* var = node.args[i].var();
    if (alias && alias->isWrite() && var && is_container(var->type)) return var;
  }
  return nullptr;
}

bool reads(const Node& node, const Var* var) {
  bool found = false;
  for (const Argument& argument : node.args)
    for_each_var(argument, [&](Var* v) { found |= v == var; });
  return found;
}

bool mentions(const Block& block, const Var* var);

bool mentions(const Node& node, const Var* var) {
  return reads(node, var) || std::any_of(node.blocks.begin(), node.blocks.end(),
                                         [&](const auto& inner) { return mentions(*inner, var); });
}

bool mentions(const Block& block, const Var* var) {
  bool found = std::any_of(block.nodes.begin(), block.nodes.end(),
                           [&](const auto& n) { return mentions(*n, var); });
  for (const Argument& output : block.outputs)
    for_each_var(output, [&](Var* v) { found |= v == var; });
  return found;
}

void replace(Node& node, Var* from, const Argument& to);

void replace(Argument& argument, Var* from, const Argument& to) {
  if (argument.var() == from) {
    argument = to;
  } else if (auto* list = std::get_if<Argument::List>(&argument.data)) {
    for (Argument& element : *list) replace(element, from, to);
  }
}

void replace(Node& node, Var* from, const Argument& to) {
  for (Argument& argument : node.args) replace(argument, from, to);
  for (auto& inner : node.blocks) {
    for (auto& n : inner->nodes) replace(*n, from, to);
    for (Argument& output : inner->outputs) replace(output, from, to);
  }
}

/// Follows one list or dict through its block.
class Container {
 public:
  Container(Graph& graph, Node& maker)
      : graph_(graph), block_(*maker.owner), maker_(maker), var_(maker.outputs[0]) {
    is_dict_ = var_->type->kind() == c10::TypeKind::DictType;
    if (maker.kind == c10::prim::ListConstruct || maker.kind == c10::prim::DictConstruct)
      elements_ = maker.args;
  }

  /// Whether every write to it can be replayed: writes in its own block, of known places, and none
  /// once it may have a second name; `foreign_writes`: something of unknown origin is written,
  /// which may be that second name.
  bool can_follow(bool foreign_writes) {
    bool any_write = false, escaped = false;
    for (const auto& node : block_.nodes) {
      if (!mentions(*node, var_)) continue;
      if (written(*node) == var_) {
        any_write = true;
        if (escaped || !replay(*node, /*dry=*/true)) return false;
      } else if (!only_reads(*node)) {
        escaped = true;
      }
    }
    return any_write && !(escaped && foreign_writes);
  }

  std::size_t follow() {
    std::size_t gone = 0;
    bool escaped = false;  // its elements are not known any more
    for (auto it = std::next(position(&maker_)); it != block_.nodes.end();) {
      Node* node = (it++)->get();
      if (!mentions(*node, var_)) continue;
      if (written(*node) == var_) {
        replay(*node, /*dry=*/false);
        graph_.erase(node);
        current_ = nullptr;
        ++gone;
      } else if (gone > 0 && (escaped || !resolve(*node))) {
        escaped |= !only_reads(*node);
        replace(*node, var_, version(node));
      }
    }
    if (gone > 0) {
      for (Argument& output : block_.outputs) {
        if (mentions_output(output)) replace(output, var_, version(nullptr));
      }
    }
    return gone;
  }

 private:
  std::list<std::unique_ptr<Node>>::iterator position(const Node* node) {
    return std::find_if(block_.nodes.begin(), block_.nodes.end(),
                        [&](const auto& n) { return n.get() == node; });
  }

  bool mentions_output(const Argument& output) const {
    bool found = false;
    for_each_var(output, [&](Var* v) { found |= v == var_; });
    return found;
  }

  /// Reads it without keeping it: an op whose schema gives it no second name. Blocks within may
  /// read, not hand it out.
  bool only_reads(const Node& node) const {
    for (const auto& inner : node.blocks) {
      for (const auto& n : inner->nodes) {
        if (mentions(*n, var_) && (written(*n) == var_ || !only_reads(*n))) return false;
      }
      for (const Argument& output : inner->outputs) {
        if (mentions_output(output)) return false;
      }
    }
    if (!reads(node, var_)) return true;
    if (!node.blocks.empty()) return false;  // a loop carries it
    const auto* schema = node.schema();
    if (!schema) return node.kind == c10::prim::ListUnpack;
    for (std::size_t i = 0; i < node.args.size() && i < schema->arguments().size(); ++i) {
      const bool here = node.args[i].var() == var_;
      const auto* alias = schema->arguments()[i].alias_info();
      if (!here && mentions_output(node.args[i])) return false;
      if (!here || !alias) continue;
      if (alias->isWrite() || alias->isWildcardAfter()) return false;
      for (const auto& result : schema->returns()) {
        const auto* out = result.alias_info();
        const bool same =
            out && !out->isWildcardAfter() && out->beforeSets() == alias->beforeSets();
        if (same && is_container(result.type())) return false;
      }
    }
    return true;
  }

  std::optional<std::size_t> place(const Argument& index) const {
    const auto known = known_constant(index);
    if (!known || !known->isInt()) return std::nullopt;
    const auto count = static_cast<std::int64_t>(elements_.size());
    const std::int64_t at = known->toInt() < 0 ? known->toInt() + count : known->toInt();
    if (at < 0 || at >= count) return std::nullopt;
    return static_cast<std::size_t>(at);
  }

  /// Index of a key's value among the flattened pairs.
  std::optional<std::size_t> value_of_key(const Argument& key) const {
    const auto known = known_constant(key);
    if (!known || !known->isString()) return std::nullopt;
    for (std::size_t i = 0; i + 1 < elements_.size(); i += 2) {
      if (known_constant(elements_[i])->toStringRef() == known->toStringRef()) return i + 1;
    }
    return std::nullopt;
  }

  /// Applies a write to the elements; false where it is not understood.
  bool replay(Node& node, bool dry) {
    const std::string name = node.name();
    if (name == "aten::append.t") {
      elements_.push_back(node.args[1]);
      return node.args[1].var() != var_;
    }
    if (name == "aten::_set_item.t") {
      const auto at = place(node.args[1]);
      if (at) elements_[*at] = node.args[2];
      return at.has_value();
    }
    if (name == "aten::insert.t") {
      const auto at = place(node.args[1]);
      if (at) elements_.insert(elements_.begin() + static_cast<std::ptrdiff_t>(*at), node.args[2]);
      return at.has_value();
    }
    if (name == "aten::pop.t") {
      const auto at = place(node.args[1]);
      if (!at) return false;
      if (!dry) graph_.replace_uses(node.outputs[0], elements_[*at]);
      elements_.erase(elements_.begin() + static_cast<std::ptrdiff_t>(*at));
      return true;
    }
    if (name == "aten::extend.t" || name == "aten::add_.t") {
      const Var* other = node.args[1].var();
      const bool known = other && other != var_ && other->producer &&
                         other->producer->kind == c10::prim::ListConstruct && !is_written(*other);
      if (known)
        elements_.insert(elements_.end(), other->producer->args.begin(),
                         other->producer->args.end());
      return known;
    }
    if (name == "aten::clear.t") {
      elements_.clear();
      return true;
    }
    if (name == "aten::_set_item.str") {
      if (!is_string(node.args[1])) return false;
      if (const auto at = value_of_key(node.args[1])) {
        elements_[*at] = node.args[2];
      } else {
        elements_.insert(elements_.end(), {node.args[1], node.args[2]});
      }
      return true;
    }
    return false;
  }

  bool is_written(const Var& var) const {
    const auto nodes = all_nodes(graph_.body());
    return std::any_of(nodes.begin(), nodes.end(),
                       [&](const Node* node) { return written(*node) == &var; });
  }

  static bool is_string(const Argument& argument) {
    const auto known = known_constant(argument);
    return known && known->isString();
  }

  /// Replaces a read of one known element by the element.
  bool resolve(Node& node) {
    if (std::string(node.kind.toQualString()) != "aten::__getitem__" || node.args[0].var() != var_)
      return false;
    const auto at = is_dict_ ? value_of_key(node.args[1]) : place(node.args[1]);
    if (!at) return false;
    graph_.replace_uses(node.outputs[0], elements_[*at]);
    graph_.erase(&node);
    return true;
  }

  /// The container as it is now, made before `reader` or at the end of the block.
  Argument version(Node* reader) {
    if (!current_) {
      const c10::Symbol kind = is_dict_ ? c10::prim::DictConstruct : c10::prim::ListConstruct;
      Node* node = reader ? graph_.insert_before(reader, kind, elements_)
                          : graph_.append(block_, kind, elements_);
      node->origin = maker_.origin;
      current_ = graph_.add_output(node, var_->type, var_->name);
    }
    return current_;
  }

  Graph& graph_;
  Block& block_;
  Node& maker_;
  Var* var_;
  bool is_dict_ = false;
  std::vector<Argument> elements_;
  Var* current_ = nullptr;
};

bool makes_container(const Node& node) {
  if (node.outputs.size() != 1 || !is_container(node.outputs[0]->type)) return false;
  if (node.kind == c10::prim::ListConstruct) return true;
  const bool dict = node.outputs[0]->type->kind() == c10::TypeKind::DictType;
  const auto has_string_keys = [&] {
    for (std::size_t i = 0; i < node.args.size(); i += 2) {
      const auto key = known_constant(node.args[i]);
      if (!key || !key->isString()) return false;
    }
    return true;
  };
  if (node.kind == c10::prim::DictConstruct) return has_string_keys();
  return dict && node.name() == "aten::dict" && node.args.empty();
}

/// `list += other` gives back the list itself.
void use_one_name(Graph& graph) {
  for (Node* node : all_nodes(graph.body())) {
    Var* list = node->name() == "aten::add_.t" ? written(*node) : nullptr;
    if (list) graph.replace_uses(node->outputs[0], list);
  }
}

/// Is anything written that was not made in this graph, or that came out of another container?
bool has_foreign_writes(Graph& graph) {
  const auto nodes = all_nodes(graph.body());
  return std::any_of(nodes.begin(), nodes.end(), [](const Node* node) {
    const Var* var = written(*node);
    return var && !(var->producer && makes_container(*var->producer));
  });
}

/// Sets of Vars that may be names of one container, or of one inside the other.
class Aliases {
 public:
  void join(const Var* a, const Var* b) { parent_[find(a)] = find(b); }
  const Var* find(const Var* var) {
    const auto it = parent_.find(var);
    if (it == parent_.end() || it->second == var) return var;
    return it->second = find(it->second);
  }

  void visit(const Block& block) {
    for (const auto& node : block.nodes) visit(*node);
  }
  /// Attributes of modules and arguments: one may be reached in several ways.
  void join_outside(const Var* var) { join(var, &outside_); }

 private:
  void visit(const Node& node) {
    for (const auto& inner : node.blocks) visit(*inner);
    std::vector<const Var*> names;
    const auto add = [&](const Var* var) {
      if (is_container(var->type)) names.push_back(var);
    };
    const auto* schema = node.schema();
    const bool takes_out =
        schema &&
        std::any_of(schema->returns().begin(), schema->returns().end(), [](const auto& r) {
          return r.alias_info() && r.alias_info()->isWildcardBefore();
        });
    for (std::size_t i = 0; i < node.args.size(); ++i) {
      const bool may_alias = !schema || takes_out || i >= schema->arguments().size() ||
                             schema->arguments()[i].alias_info();
      if (may_alias) for_each_var(node.args[i], add);
    }
    for (std::size_t i = 0; i < node.outputs.size(); ++i) {
      const bool is_new =
          schema && i < schema->returns().size() && !schema->returns()[i].alias_info();
      if (!is_new) add(node.outputs[i]);
    }
    for (const auto& inner : node.blocks) {
      for (const Argument& output : inner->outputs) for_each_var(output, add);
      for (const Var* input : inner->inputs) add(input);
    }
    for (const Var* name : names) join(names.front(), name);
    const bool attribute = node.kind == c10::prim::GetAttr || node.kind == c10::prim::SetAttr;
    if (attribute && !names.empty()) join_outside(names.front());
  }

  Var outside_;

  std::unordered_map<const Var*, const Var*> parent_;
};

}  // namespace

std::size_t functionalize_containers(Graph& graph) {
  use_one_name(graph);
  std::size_t gone = 0;
  for (bool again = true; again;) {
    again = false;
    const bool foreign = has_foreign_writes(graph);
    for (Node* node : all_nodes(graph.body())) {
      if (!makes_container(*node) || !Container(graph, *node).can_follow(foreign)) continue;
      gone += Container(graph, *node).follow();
      again = true;  // nodes are gone
      break;
    }
  }
  return gone;
}

std::unordered_set<const Var*> written_containers(Graph& graph) {
  Aliases aliases;
  aliases.visit(graph.body());
  for (const Var* input : graph.body().inputs) {
    if (is_container(input->type)) aliases.join_outside(input);
  }
  std::unordered_set<const Var*> roots;
  for (const Node* node : all_nodes(graph.body())) {
    if (const Var* var = written(*node)) roots.insert(aliases.find(var));
  }
  std::unordered_set<const Var*> result;
  if (roots.empty()) return result;
  const auto add = [&](const Var* var) {
    if (is_container(var->type) && roots.count(aliases.find(var))) result.insert(var);
  };
  for (const Var* input : graph.body().inputs) add(input);
  for (const Node* node : all_nodes(graph.body())) {
    for (const Var* output : node->outputs) add(output);
    for (const auto& inner : node->blocks) {
      for (const Var* input : inner->inputs) add(input);
    }
  }
  return result;
}

}  // namespace torch_tensorrt::compiler
