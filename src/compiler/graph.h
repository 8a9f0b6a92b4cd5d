#pragma once

// The Graph: our SSA form of a PyTorch program. Frontends decode into it, lowering rewrites it,
// partitioning reads it, assembly emits it. A node is an operator of PyTorch (or a prim:: construct
// of TorchScript) whose arguments are given in schema order; lists and tuples of values are nested
// arguments, not nodes.

#include <ATen/core/interned_strings.h>
#include <ATen/core/ivalue.h>
#include <ATen/core/jit_type.h>
#include <torch/csrc/jit/runtime/operator.h>

#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <variant>
#include <vector>

#include "core/export.h"
#include "core/network.h"

namespace torch::jit {
struct Node;
}

namespace torch_tensorrt::compiler {

struct Node;
struct Block;
class Graph;

/// What is known of a value: its IValue at each probe of the input shapes (meta tensors for
/// tensors; real CPU tensors for what the host computes; numbers, lists, ...).
struct Fact {
  std::vector<c10::IValue> samples;
  /// Depends on a dynamic dimension through numbers, even where all samples agree.
  bool dynamic = false;
  /// A guess: depends on module state or on a branch that was not decided. Whatever is built on it
  /// is guarded at run time, with the original ops as the other branch.
  bool speculative = false;
};

/// A value: made by a node, or an input of a block.
struct Var {
  std::size_t id = 0;
  std::string name;             ///< the user's name for it, may be empty
  c10::TypePtr type;            ///< PyTorch's type: Tensor, int, Tensor[], ...
  Node* producer = nullptr;     ///< null: a block input
  std::optional<Fact> fact;     ///< absent: not known
  std::string unknown_because;  ///< why there is no fact
  /// The tensor's type at each probe in a run on random inputs, or empty: the fact, as a guess,
  /// where there is no better one.
  std::vector<c10::IValue> observed;

  bool is_tensor() const { return type->isSubtypeOf(*c10::TensorType::get()); }
};

/// An argument: a value, a constant (None included), or a list of arguments.
struct Argument {
  using List = std::vector<Argument>;
  std::variant<Var*, c10::IValue, List> data;

  Argument() : data(c10::IValue()) {}
  Argument(Var* var) : data(var) {}  // NOLINT: any of the three is an Argument
  Argument(c10::IValue value) : data(std::move(value)) {}  // NOLINT
  Argument(List list) : data(std::move(list)) {}           // NOLINT

  Var* var() const {
    auto* v = std::get_if<Var*>(&data);
    return v ? *v : nullptr;
  }
  const c10::IValue* constant() const { return std::get_if<c10::IValue>(&data); }
  const List* list() const { return std::get_if<List>(&data); }
  bool is_none() const { return constant() && constant()->isNone(); }
};

/// Calls fn(Var*&) for every value in the argument, nested ones included.
template <typename Fn>
void for_each_var(Argument& argument, Fn&& fn) {
  if (auto* var = std::get_if<Var*>(&argument.data)) {
    fn(*var);
  } else if (auto* list = std::get_if<Argument::List>(&argument.data)) {
    for (Argument& element : *list) for_each_var(element, fn);
  }
}
template <typename Fn>
void for_each_var(const Argument& argument, Fn&& fn) {
  for_each_var(const_cast<Argument&>(argument), [&](Var*& var) { fn(static_cast<Var*>(var)); });
}

struct Node {
  Node() = default;
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  c10::Symbol kind;                          ///< aten::add, prim::If, tensorrt::execute_engine
  std::shared_ptr<torch::jit::Operator> op;  ///< null for prim:: constructs without a schema
  std::vector<Argument> args;                ///< in schema order, defaults filled in
  std::vector<Var*> outputs;
  std::vector<std::unique_ptr<Block>> blocks;  ///< prim::If: then, else; prim::Loop: body
  core::Origin origin;
  Block* owner = nullptr;
  /// Class names of the modules around it, outermost first: "torchvision.models.resnet.BasicBlock".
  std::vector<std::string> module_types;
  /// The TorchScript node it was decoded from, if any: attributes of exotic prim:: nodes live
  /// there.
  const torch::jit::Node* jit = nullptr;
  /// Why the frontend or the user keeps this node in PyTorch: a report code and a sentence; empty:
  /// it may convert.
  std::string torch_code, torch_because;
  /// Its results share memory with a tensor that is written in place: their elements are not known.
  bool shares_written = false;

  const c10::FunctionSchema* schema() const { return op ? &op->schema() : nullptr; }
  /// "aten::add.Tensor": what tables and reports key on.
  std::string name() const;
  /// "aten::add": what torch_executed_ops names.
  std::string qualified_kind() const { return kind.toQualString(); }
};

struct Block {
  Block() = default;
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;

  Node* owner = nullptr;  ///< null: the graph's own block
  std::vector<Var*> inputs;
  std::list<std::unique_ptr<Node>> nodes;
  std::vector<Argument> outputs;
};

class TORCHTRT_API Graph {
 public:
  Graph() = default;
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;

  Block& body() { return body_; }
  const Block& body() const { return body_; }

  Var* new_var(c10::TypePtr type, std::string name = {});
  Var* add_input(Block& block, c10::TypePtr type, std::string name = {});
  /// Appends a node at the end of `block`.
  Node* append(Block& block, c10::Symbol kind, std::vector<Argument> args);
  /// Inserts a node before `position`.
  Node* insert_before(Node* position, c10::Symbol kind, std::vector<Argument> args);
  Var* add_output(Node* node, c10::TypePtr type, std::string name = {});
  /// Removes a node whose outputs have no uses.
  void erase(Node* node);
  /// Every use of `from`, in all blocks, becomes `to`.
  void replace_uses(Var* from, const Argument& to);
  /// Removes nodes without uses and side effects; returns how many.
  std::size_t remove_dead();
  /// Checks def-before-use, arity against schemas and ownership; throws core::Error(internal).
  void verify() const;
  /// One line per node: `%5 : Tensor[2, 3] = aten::softmax.int(self=%4, dim=1, dtype=None)  #
  /// model.py:41`.
  std::string to_text() const;

  /// Where the elements lie of constant tensors that lowering computed with: a weight among them is
  /// no longer a constant of its own everywhere.
  std::unordered_set<const void*> computed_with;

 private:
  Block body_;
  std::vector<std::unique_ptr<Var>> vars_;
};

/// All nodes of a block and the blocks within, in program order.
TORCHTRT_API std::vector<Node*> all_nodes(Block& block);

/// Side effects, writes to arguments, or results that differ from call to call: such a node is
/// never moved or removed.
TORCHTRT_API bool has_effect(const Node& node);

/// Fake quantization, or dequantization: of weights the compiler keeps the integers, so such an op
/// is not folded.
TORCHTRT_API bool gives_back_integers(c10::Symbol op);
/// Such a constant may be a weight that is kept in eight bits and cast where it is used; nor is
/// that cast folded.
TORCHTRT_API bool is_eight_bit_weight(const Argument& argument);

/// The torch dtype as the Network's, or nothing (complex, quantized, ...).
TORCHTRT_API std::optional<core::DType> to_core(c10::ScalarType type);
TORCHTRT_API c10::ScalarType to_torch(core::DType type);

/// The Network type of a tensor value from its samples (first min, opt, max, then further probes),
/// or why there is none.
struct TypeOrReason {
  std::optional<core::TensorType> type;
  std::string reason;
};
TORCHTRT_API TypeOrReason tensor_type(const Var& var);

/// The constant behind an argument: a literal, or a value that is the same at every probe and not
/// dynamic.
TORCHTRT_API std::optional<c10::IValue> known_constant(const Argument& argument);

/// What an exception says, without the C++ stack that PyTorch appends.
TORCHTRT_API std::string first_line(const std::exception& error);
/// "model.py:41 (layer1.0.conv1)", for messages.
TORCHTRT_API std::string where(const core::Origin& origin);

}  // namespace torch_tensorrt::compiler
