#include "compiler/capture/torchscript.h"

#include <torch/csrc/jit/ir/alias_analysis.h>
#include <torch/csrc/jit/passes/common_subexpression_elimination.h>
#include <torch/csrc/jit/passes/constant_propagation.h>
#include <torch/csrc/jit/passes/dead_code_elimination.h>
#include <torch/csrc/jit/passes/freeze_module.h>
#include <torch/csrc/jit/passes/inliner.h>
#include <torch/csrc/jit/passes/loop_unrolling.h>
#include <torch/csrc/jit/passes/lower_tuples.h>
#include <torch/csrc/jit/passes/peephole.h>
#include <torch/csrc/jit/passes/remove_mutation.h>
#include <torch/csrc/jit/passes/shape_analysis.h>

#include <regex>
#include <unordered_map>
#include <unordered_set>

#include "compiler/capture/attributes.h"
#include "compiler/capture/functionalize.h"
#include "core/error.h"
#include "core/log.h"

namespace torch_tensorrt::compiler {
namespace {

namespace jit = torch::jit;

std::string base_name(const std::string& path) { return path.substr(path.find_last_of('/') + 1); }

/// "model.py:41". Traced nodes carry a stack as text: the innermost frame outside PyTorch's own
/// modules is the user's.
std::string location_of(const jit::SourceRange& range) {
  if (const auto place = range.file_line_col()) {
    return base_name(std::get<0>(*place)) + ":" + std::to_string(std::get<1>(*place));
  }
  if (!range.source()) return {};
  static const std::regex kFrame(R"(([^\s]+)\((\d+)\): )");
  static const std::regex kLibrary("/torch/(nn|jit|_|functional)");
  const std::string stack = range.source()->text_str().str();
  std::string first;
  for (std::sregex_iterator it(stack.begin(), stack.end(), kFrame), end; it != end; ++it) {
    const std::string path = (*it)[1];
    const std::string place = base_name(path) + ":" + (*it)[2].str();
    if (first.empty()) first = place;
    if (!std::regex_search(path, kLibrary)) return place;
  }
  return first;
}

/// Innermost name of "__module.layer1/__module.layer1.0" (traces) without the prefix.
std::string trace_scope(const std::string& scope) {
  std::string name = scope.substr(scope.find_last_of('/') + 1);
  if (const auto colons = name.find("::"); colons != std::string::npos)
    name = name.substr(colons + 2);
  const std::string prefix = "__module.";
  return name.rfind(prefix, 0) == 0 ? name.substr(prefix.size()) : "";
}

core::Origin origin_of(const jit::Node& node) {
  core::Origin origin;
  origin.location = location_of(node.sourceRange());
  if (node.scopeName().empty()) {
    if (const auto stack = node.callstack()) {
      for (const auto& frame : (*stack)->vec()) {
        const auto& instance = std::get<2>(frame);
        if (!instance || instance->instance_name().empty() || instance->instance_name() == "SELF")
          continue;
        origin.scope += (origin.scope.empty() ? "" : ".") + instance->instance_name();
      }
    }
  } else {
    origin.scope = trace_scope(node.scopeName());
  }
  return origin;
}

/// "torchvision.models.resnet.BasicBlock" from
/// "__torch__.torchvision.models.resnet.___torch_mangle_3.BasicBlock".
std::string class_name(const c10::ClassTypePtr& type) {
  static const std::regex kMangle(R"((^__torch__\.)|(___torch_mangle_\d+\.))");
  return type->name() ? std::regex_replace(type->name()->qualifiedName(), kMangle, "") : "";
}

std::vector<std::string> module_types_of(const jit::Node& node) {
  std::vector<std::string> names;
  const auto stack = node.callstack();
  if (!stack) return names;
  for (const auto& frame : (*stack)->vec()) {
    const auto& instance = std::get<2>(frame);
    if (instance && instance->class_type()) names.push_back(class_name(instance->class_type()));
  }
  return names;
}

class Decoder {
 public:
  Decoder(const std::shared_ptr<jit::Graph>& source, Graph& graph)
      : aliases_(source), graph_(graph) {
    collect_written(source->block());
  }

  void decode(jit::Block* from, Block& to) {
    for (jit::Value* input : from->inputs()) {
      values_[input] =
          graph_.add_input(to, input->type(), input->hasDebugName() ? input->debugName() : "");
    }
    for (jit::Node* node : from->nodes()) decode(node, to);
    for (jit::Value* output : from->outputs()) to.outputs.push_back(argument(output));
  }

 private:
  void decode(jit::Node* from, Block& to) {
    if (from->kind() == c10::prim::Constant) {
      const auto value = jit::toIValue(from->output());
      if (!value) throw core::internal_error("[capture] a constant without a value");
      values_[from->output()] = *value;
      return;
    }
    if (from->kind() == c10::prim::ListConstruct && is_plain_list(from)) {
      Argument::List elements;
      for (jit::Value* input : from->inputs()) elements.push_back(argument(input));
      values_[from->output()] = std::move(elements);
      return;
    }
    Node* node = graph_.append(to, from->kind(), {});
    for (jit::Value* input : from->inputs()) node->args.push_back(argument(input));
    if (from->hasAttribute(c10::attr::name) &&
        from->kindOf(c10::attr::name) == jit::AttributeKind::s) {
      node->args.emplace_back(c10::IValue(from->s(c10::attr::name)));
    }
    node->op = operator_of(from);
    node->jit = from;
    node->origin = origin_of(*from);
    node->module_types = module_types_of(*from);
    for (jit::Block* block : from->blocks()) {
      node->blocks.push_back(std::make_unique<Block>());
      node->blocks.back()->owner = node;
      decode(block, *node->blocks.back());
    }
    for (jit::Value* output : from->outputs()) {
      values_[output] = graph_.add_output(node, output->type(),
                                          output->hasDebugName() ? output->debugName() : "");
      pin_if_written(*node, output);
    }
  }

  /// An engine's results are fresh memory; a value whose memory is written later must stay
  /// PyTorch's own.
  void pin_if_written(Node& node, jit::Value* output) {
    for (jit::Value* written : written_) {
      if (!aliases_.mayAlias(output, written)) continue;
      node.torch_code = "mutation";
      node.torch_because = "its result shares memory with a tensor that is written in place";
      node.shares_written = true;
      return;
    }
  }

  void collect_written(jit::Block* block) {
    for (jit::Node* node : block->nodes()) {
      for (jit::Block* inner : node->blocks()) collect_written(inner);
      const auto* schema = node->maybeSchema();
      if (!schema || !schema->is_mutable()) continue;
      for (std::size_t i = 0; i < node->inputs().size() && i < schema->arguments().size(); ++i) {
        const auto* alias = schema->arguments()[i].alias_info();
        if (alias && alias->isWrite()) written_.push_back(node->input(i));
      }
    }
  }

  /// A list that only feeds operators that read it needs no node of its own.
  bool is_plain_list(jit::Node* node) const {
    for (const jit::Use& use : node->output()->uses()) {
      const auto* schema = use.user->maybeSchema();
      if (use.user->kind() == c10::prim::Return || !schema || schema->is_vararg()) return false;
      if (use.offset >= schema->arguments().size()) return false;
      const auto& argument = schema->arguments()[use.offset];
      if (argument.alias_info() && argument.alias_info()->isWrite()) return false;
      const auto kind = argument.type()->kind();
      const bool takes_list =
          kind == c10::TypeKind::ListType || kind == c10::TypeKind::OptionalType;
      if (!takes_list || argument.type()->hasFreeVariables()) return false;
    }
    return !node->output()->uses().empty();
  }

  Argument argument(jit::Value* value) const { return values_.at(value); }

  static std::shared_ptr<jit::Operator> operator_of(jit::Node* node) {
    const auto* wanted = node->maybeOperator();
    if (!wanted) return nullptr;
    for (const auto& candidate : jit::getAllOperatorsFor(node->kind())) {
      if (candidate.get() == wanted) return candidate;
    }
    return nullptr;
  }

  jit::AliasDb aliases_;
  Graph& graph_;
  std::unordered_map<jit::Value*, Argument> values_;
  std::vector<jit::Value*> written_;
};

/// Dropout in eval mode is the identity, its in-place form no write.
void drop_eval_dropout(jit::Block* block) {
  for (auto it = block->nodes().begin(); it != block->nodes().end();) {
    jit::Node* node = *it++;
    for (jit::Block* inner : node->blocks()) drop_eval_dropout(inner);
    const std::string kind = node->kind().toQualString();
    if (kind != "aten::dropout_" && kind != "aten::feature_dropout_" &&
        kind != "aten::alpha_dropout_")
      continue;
    const auto train = jit::toIValue(node->input(2));
    if (!train || train->toBool()) continue;
    node->output()->replaceAllUsesWith(node->input(0));
    node->destroy();
  }
}

std::shared_ptr<jit::Graph> simplify(const jit::Module& module, const std::string& method) {
  auto graph = module.get_method(method).graph()->copy();
  jit::Inline(*graph);
  // A trace carries the example's sizes in its types, and the peephole pass would believe them.
  jit::EraseShapeInformation(graph);
  jit::LowerSimpleTuples(graph);
  jit::ConstantPropagation(graph);
  jit::UnrollConstantLoops(graph);
  jit::RemoveListMutation(graph);
  drop_eval_dropout(graph->block());
  jit::RemoveTensorMutation(graph);
  functionalize(graph);
  inline_attributes(graph, module, method);
  jit::PeepholeOptimize(graph, /*disable_shape_peepholes=*/true);
  jit::ConstantPropagation(graph);
  jit::LowerSimpleTuples(graph);
  jit::EliminateCommonSubexpression(graph);
  jit::EliminateDeadCode(graph);
  return graph;
}

/// A copy in eval mode.
jit::Module inference_copy(const jit::Module& module, Scratch& scratch) {
  jit::Module copy = scratch.clone(module);
  if (copy.hasattr("training") && copy.is_training()) copy.eval();
  return copy;
}

/// PyTorch's passes read a bool where None means training.
void spell_out_training(jit::Block* block) {
  for (jit::Node* node : block->nodes()) {
    for (jit::Block* inner : node->blocks()) spell_out_training(inner);
    if (node->kind() != c10::aten::native_dropout) continue;
    const auto train = jit::toIValue(node->input(2));
    if (!train || !train->isNone()) continue;
    const jit::WithInsertPoint before(node);
    node->replaceInput(2, node->owningGraph()->insertConstant(true));
  }
}

// PyTorch's passes would fold quantized weights to floats. A dequantize is the one op of the kind
// that they leave alone (a skip list in constant_propagation.cpp), so one stands in front of the
// weights meanwhile.

const c10::Symbol kMeanwhile = c10::Symbol::attr("meanwhile");

void keep_integers(jit::Block* block) {
  for (jit::Node* node : block->nodes()) {
    for (jit::Block* inner : node->blocks()) keep_integers(inner);
    if (!gives_back_integers(node->kind())) continue;
    const jit::WithInsertPoint before(node);
    jit::Value* kept = node->owningGraph()->insert(c10::aten::dequantize, {node->input(0)});
    kept->node()->i_(kMeanwhile, 1);
    node->replaceInput(0, kept);
  }
}

void release_integers(jit::Block* block) {
  for (auto it = block->nodes().begin(); it != block->nodes().end();) {
    jit::Node* node = *it++;
    for (jit::Block* inner : node->blocks()) release_integers(inner);
    if (!node->hasAttribute(kMeanwhile)) continue;
    node->output()->replaceAllUsesWith(node->input(0));
    node->destroy();
  }
}

/// A copy in eval mode whose methods are ready for PyTorch's passes.
jit::Module prepared_copy(const jit::Module& module, const std::vector<std::string>& methods,
                          Scratch& scratch) {
  jit::Module copy = inference_copy(module, scratch);
  for (const std::string& name : methods) {
    const auto graph = copy.get_method(name).graph();
    jit::Inline(*graph);
    spell_out_training(graph->block());
    keep_integers(graph->block());
  }
  return copy;
}

/// Frozen with all methods where that works: a stateful model's other methods (reset, say) stay
/// callable.
jit::Module freeze(const jit::Module& module, const std::string& method, Scratch& scratch) {
  if (module.hasattr("training") && module.is_training())
    core::log_warning("[capture] the module is in training mode; it is compiled as in eval mode");
  std::vector<std::string> methods;
  for (const auto& m : module.get_methods()) methods.push_back(m.name());
  if (methods.size() > 1) {
    try {
      jit::Module copy = prepared_copy(module, methods, scratch);
      jit::freeze_module_inplace(&copy, methods, /*freezeInterfaces=*/true);
      return copy;
    } catch (const std::exception& error) {
      core::log_info("[capture] only '", method,
                     "' is kept, another method cannot be frozen: ", error.what());
    }
  }
  jit::Module copy = prepared_copy(module, {method}, scratch);
  jit::freeze_module_inplace(&copy, {method}, /*freezeInterfaces=*/true);
  return copy;
}

}  // namespace

Scratch::~Scratch() {
  // Freezing removes some of them by itself.
  for (const Method& method : methods_) {
    if (method.owner->findMethod(method.name.name()))
      method.owner->unsafeRemoveMethod(method.name.name());
    if (method.unit->find_function(method.name)) method.unit->unsafeRemoveMethod(method.name);
  }
}

jit::Module Scratch::clone(const jit::Module& module) {
  jit::Module copy = module.clone();
  adopt(copy);
  return copy;
}

void Scratch::adopt(const jit::Module& module) {
  for (const jit::Module& part : module.modules()) {
    for (const jit::Function* method : part.type()->methods())
      methods_.push_back({part._ivalue()->compilation_unit(), part.type(), method->qualname()});
  }
}

Captured capture_torchscript(const torch::jit::Module& module, const std::string& method) {
  if (!module.find_method(method)) {
    std::vector<std::string> names;
    for (const auto& m : module.get_methods()) names.push_back(m.name());
    throw core::invalid_argument("[capture] the module has no method '", method,
                                 "', expected one of: ", core::join(names));
  }
  Captured captured;
  captured.module = freeze(module, method, captured.scratch);
  captured.source = simplify(captured.module, method);
  release_integers(captured.source->block());
  for (const auto& m : captured.module.get_methods()) release_integers(m.graph()->block());
  captured.graph = std::make_unique<Graph>();
  Decoder(captured.source, *captured.graph)
      .decode(captured.source->block(), captured.graph->body());
  captured.graph->verify();
  return captured;
}

}  // namespace torch_tensorrt::compiler
