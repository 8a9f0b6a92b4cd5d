#include "compiler/assembly/torchscript.h"

#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/ir/ir.h>

#include <unordered_map>

#include "core/error.h"

namespace torch_tensorrt::compiler {
namespace {

namespace jit = torch::jit;

class Emitter {
 public:
  Emitter(jit::Module& module, std::string method) : module_(module), method_(std::move(method)) {}

  std::shared_ptr<jit::Graph> run(const Block& body) {
    graph_ = std::make_shared<jit::Graph>();
    for (const Var* input : body.inputs) {
      const bool is_self = input == body.inputs.front();
      jit::Value* value = graph_->addInput(input->name);
      value->setType(is_self ? module_.type() : input->type);
      values_[input] = value;
    }
    self_ = graph_->inputs()[0];
    emit_nodes(body);
    for (const Argument& output : body.outputs) graph_->registerOutput(value_of(output, nullptr));
    graph_->lint();
    return graph_;
  }

  /// Inputs and the output nested as the signatures say.
  std::shared_ptr<jit::Graph> run(const Program& program, const Signature& inputs,
                                  const std::vector<std::string>& names, const Signature& output) {
    const Block& body = program.graph().body();
    graph_ = std::make_shared<jit::Graph>();
    self_ = graph_->addInput("self");
    self_->setType(module_.type());
    values_[body.inputs.front()] = self_;
    std::size_t next = 1;
    for (std::size_t i = 0; i < inputs.elements.size(); ++i) {
      std::size_t leaf = next;
      jit::Value* value = graph_->addInput(names.at(i));
      value->setType(type_of(inputs.elements[i], body, next));
      take_apart(value, inputs.elements[i], body, leaf);
    }
    for (const std::string& state : program.states()) {
      jit::Node* get = graph_->insertNode(graph_->createGetAttr(self_, state));
      define(body.inputs.at(next++), get->output());
    }
    emit_nodes(body);
    std::size_t leaf = 0;
    graph_->registerOutput(nested(output, body.outputs, leaf));
    graph_->lint();
    return graph_;
  }

 private:
  /// The TorchScript type of an argument, whose leaves begin at input `next`.
  static c10::TypePtr type_of(const Signature& signature, const Block& body, std::size_t& next) {
    if (signature.kind == Signature::Kind::leaf) return body.inputs.at(next++)->type;
    std::vector<c10::TypePtr> types;
    for (const Signature& element : signature.elements)
      types.push_back(type_of(element, body, next));
    if (signature.kind == Signature::Kind::tuple) return c10::TupleType::create(types);
    const c10::TypePtr element = types.empty() ? c10::TensorType::get() : types.front();
    if (signature.kind == Signature::Kind::list) return c10::ListType::create(element);
    return c10::DictType::create(c10::StringType::get(), element);
  }

  void take_apart(jit::Value* value, const Signature& signature, const Block& body,
                  std::size_t& leaf) {
    const std::size_t count = signature.elements.size();
    switch (signature.kind) {
      case Signature::Kind::leaf:
        define(body.inputs.at(leaf++), value);
        return;
      case Signature::Kind::tuple: {
        jit::Node* unpack = graph_->insertNode(graph_->createTupleUnpack(value));
        for (std::size_t i = 0; i < count; ++i)
          take_apart(unpack->outputs()[i], signature.elements[i], body, leaf);
        return;
      }
      case Signature::Kind::list: {
        jit::Node* unpack = graph_->insertNode(graph_->createListUnpack(value, count));
        for (std::size_t i = 0; i < count; ++i)
          take_apart(unpack->outputs()[i], signature.elements[i], body, leaf);
        return;
      }
      case Signature::Kind::dict:
        for (std::size_t i = 0; i < count; ++i) {
          jit::Value* key = graph_->insertConstant(signature.keys.at(i));
          jit::Value* element = graph_->insert(c10::aten::__getitem__, {value, key});
          take_apart(element, signature.elements[i], body, leaf);
        }
        return;
      case Signature::Kind::value:
        throw core::internal_error("[assembly] an argument that is a value");
    }
  }

  jit::Value* nested(const Signature& signature, const std::vector<Argument>& outputs,
                     std::size_t& leaf) {
    if (signature.kind == Signature::Kind::leaf) return value_of(outputs.at(leaf++), nullptr);
    if (signature.kind == Signature::Kind::value) return graph_->insertConstant(signature.example);
    std::vector<jit::Value*> elements;
    for (const Signature& element : signature.elements)
      elements.push_back(nested(element, outputs, leaf));
    if (signature.kind == Signature::Kind::tuple)
      return graph_->insertNode(graph_->createTuple(elements))->output();
    const c10::TypePtr type = elements.empty() ? c10::TensorType::get() : elements.front()->type();
    if (signature.kind == Signature::Kind::list)
      return graph_->insertNode(graph_->createList(type, elements))->output();
    std::vector<jit::Value*> keys;
    for (const std::string& key : signature.keys) keys.push_back(graph_->insertConstant(key));
    return graph_->insertNode(graph_->createDict(c10::StringType::get(), type, keys, elements))
        ->output();
  }

  void emit_nodes(const Block& block) {
    for (const auto& node : block.nodes) emit(*node);
  }

  void emit(const Node& node) {
    if (std::string(node.kind.toQualString()) == "tensorrt::execute_engine")
      return emit_engine(node);
    if (std::string(node.kind.toQualString()) == "tensorrt::engine_accepts")
      return emit_accepts(node);
    const bool named = node.kind == c10::prim::GetAttr || node.kind == c10::prim::SetAttr;
    std::vector<jit::Value*> inputs;
    const auto* schema = node.schema();
    for (std::size_t i = 0; i < node.args.size() - (named ? 1 : 0); ++i) {
      const auto type =
          schema && i < schema->arguments().size() ? schema->arguments()[i].type() : c10::TypePtr();
      inputs.push_back(value_of(node.args[i], type));
      if (type && type->kind() == c10::TypeKind::NumberType && has_dtype(node))
        inputs.back() = as_number(inputs.back());
    }
    // TorchScript's executor computes what has only constants as arguments once and for all.
    if (node.kind == c10::aten::clone && inputs.front()->node()->kind() == c10::prim::Constant)
      inputs.front() = attribute_of(*node.args.front().constant());
    jit::Node* out = graph_->create(node.kind, inputs, node.outputs.size());
    if (node.jit) {
      out->copyAttributes(*const_cast<jit::Node*>(node.jit));
      out->setSourceRange(node.jit->sourceRange());
    }
    graph_->insertNode(out);
    for (const auto& inner : node.blocks) emit_block(*inner, out->addBlock());
    for (std::size_t i = 0; i < node.outputs.size(); ++i)
      define(node.outputs[i], out->outputs()[i]);
  }

  static bool has_dtype(const Node& node) {
    const auto index = node.schema()->argumentIndexWithName("dtype");
    return index && !node.args[static_cast<std::size_t>(*index)].is_none();
  }

  /// A Scalar may be a bool for PyTorch's dispatcher, not for TorchScript. Where the dtype is given
  /// the result does not depend on it.
  jit::Value* as_number(jit::Value* scalar) {
    const bool is_bool = scalar->type()->kind() == c10::TypeKind::BoolType;
    return is_bool ? graph_->insert(c10::aten::Int, {scalar}) : scalar;
  }

  void emit_block(const Block& block, jit::Block* out) {
    for (const Var* input : block.inputs) {
      values_[input] = out->addInput();
      values_[input]->setType(input->type);
    }
    const jit::WithInsertPoint guard(out);
    emit_nodes(block);
    for (const Argument& output : block.outputs) out->registerOutput(value_of(output, nullptr));
  }

  void define(const Var* var, jit::Value* value) {
    value->setType(var->type);
    values_[var] = value;
  }

  jit::Value* attribute_of(const c10::IValue& tensor) {
    const std::string name = method_ + "_result_" + std::to_string(results_++);
    module_.register_attribute(name, c10::TensorType::get(), tensor);
    return graph_->insertNode(graph_->createGetAttr(self_, name))->output();
  }

  jit::Value* engine_of(const Node& node) {
    if (!node.args[1].constant()) return value_of(node.args[1], nullptr);
    const c10::IValue& engine = *node.args[1].constant();
    const void* key = &engine.toObjectRef();
    auto [it, is_new] = engine_names_.emplace(key, "");
    if (is_new) {
      it->second = method_ + "_engine_" + std::to_string(engine_names_.size() - 1);
      module_.register_attribute(it->second, engine.type(), engine);
    }
    jit::Node* get = graph_->createGetAttr(self_, it->second);
    return graph_->insertNode(get)->output();
  }

  jit::Value* engine_inputs(const Node& node) {
    return value_of(node.args[0], c10::ListType::ofTensors());
  }

  void emit_engine(const Node& node) {
    jit::Value* inputs = engine_inputs(node);
    jit::Node* execute = graph_->create(node.kind, {inputs, engine_of(node)}, 1);
    graph_->insertNode(execute)->output()->setType(c10::ListType::ofTensors());
    // A module that was compiled before calls the op itself and takes its list.
    if (node.outputs[0]->type->kind() == c10::TypeKind::ListType)
      return define(node.outputs[0], execute->output());
    jit::Node* unpack =
        graph_->insertNode(graph_->createListUnpack(execute->output(), node.outputs.size()));
    for (std::size_t i = 0; i < node.outputs.size(); ++i)
      define(node.outputs[i], unpack->outputs()[i]);
  }

  void emit_accepts(const Node& node) {
    jit::Value* inputs = engine_inputs(node);
    jit::Node* accepts =
        graph_->insertNode(graph_->create(node.kind, {inputs, engine_of(node)}, 1));
    define(node.outputs[0], accepts->output());
  }

  /// The value of an argument; `type` is the schema's, which an empty or constant list needs.
  jit::Value* value_of(const Argument& argument, c10::TypePtr type) {
    if (const Var* var = argument.var()) return values_.at(var);
    if (type) {
      if (auto optional = type->cast<c10::OptionalType>(); optional && argument.list())
        type = optional->getElementType();
    }
    if (const auto* list = argument.list()) {
      const auto list_type = type ? type->cast<c10::ListType>() : nullptr;
      if (!list_type) throw core::internal_error("[assembly] a list without a type");
      std::vector<jit::Value*> elements;
      c10::TypePtr element_type = list_type->getElementType();
      for (const Argument& element : *list) elements.push_back(value_of(element, element_type));
      if (element_type->hasFreeVariables() && !elements.empty())
        element_type = c10::unshapedType(elements.front()->type());
      return graph_->insertNode(graph_->createList(element_type, elements))->output();
    }
    return graph_->insertConstant(*argument.constant());
  }

  jit::Module& module_;
  std::string method_;
  std::shared_ptr<jit::Graph> graph_;
  jit::Value* self_ = nullptr;
  std::unordered_map<const Var*, jit::Value*> values_;
  std::unordered_map<const void*, std::string> engine_names_;
  std::size_t results_ = 0;
};

}  // namespace

namespace {

void add_function(torch::jit::Module& module, std::shared_ptr<jit::Graph> emitted,
                  c10::FunctionSchema schema) {
  const c10::QualifiedName name(*module.type()->name(), schema.name());
  auto* function = module._ivalue()->compilation_unit()->create_function(name, emitted);
  function->setSchema(std::move(schema));
  module.type()->addMethod(function);
}

}  // namespace

void add_method(torch::jit::Module& module, const Graph& graph, c10::FunctionSchema schema) {
  auto emitted = Emitter(module, schema.name()).run(graph.body());
  add_function(module, std::move(emitted), std::move(schema));
}

torch::jit::Module emit_torchscript(const Program& program, const Signature& inputs,
                                    const std::vector<std::string>& argument_names,
                                    const Signature& outputs) {
  torch::jit::Module module = program.module().deepcopy();
  auto emitted = Emitter(module, "forward").run(program, inputs, argument_names, outputs);
  std::vector<c10::Argument> arguments;
  for (const jit::Value* input : emitted->inputs())
    arguments.emplace_back(input == emitted->inputs()[0] ? "self" : input->debugName(),
                           input->type());
  const c10::TypePtr result = emitted->outputs().at(0)->type();
  add_function(
      module, std::move(emitted),
      c10::FunctionSchema("forward", "", std::move(arguments), {c10::Argument("", result)}));
  return module;
}

namespace {

/// The method's schema for a self of that type: argument names and defaults stay the user's.
c10::FunctionSchema schema_for(const jit::Method& method, const c10::TypePtr& self) {
  const c10::FunctionSchema& schema = method.function().getSchema();
  std::vector<c10::Argument> arguments = {c10::Argument("self", self)};
  arguments.insert(arguments.end(), schema.arguments().begin() + 1, schema.arguments().end());
  return {method.name(), "", std::move(arguments), schema.returns()};
}

/// A copy of the frozen `owner` without that method. Where there are no modules within, the copy
/// has a compilation unit of its own and ends with it: a clone's methods stay in the original's
/// unit, which for modules made in Python lives as long as the process.
jit::Module copy_without(const jit::Module& owner, const std::string& method) {
  if (owner.children().size() > 0) {
    jit::Module module = owner.clone();
    const auto original = module.get_method(method).function().qualname();
    module.type()->unsafeRemoveMethod(method);
    module._ivalue()->compilation_unit()->unsafeRemoveMethod(original);
    return module;
  }
  jit::Module module(*owner.type()->name(), std::make_shared<jit::CompilationUnit>());
  const jit::Module state = owner.deepcopy();
  for (std::size_t slot = 0; slot < owner.type()->numAttributes(); ++slot) {
    module.register_attribute(owner.type()->getAttributeName(slot),
                              owner.type()->getAttribute(slot), state._ivalue()->getSlot(slot),
                              owner.type()->is_parameter(slot), owner.type()->is_buffer(slot));
  }
  for (const jit::Method& other : owner.get_methods()) {
    if (other.name() == method) continue;
    // Freezing left nothing in it that calls another one.
    auto graph = other.graph()->copy();
    graph->inputs().at(0)->setType(module.type());
    add_function(module, std::move(graph), schema_for(other, module.type()));
  }
  return module;
}

}  // namespace

torch::jit::Module emit_torchscript(const Graph& graph, const torch::jit::Module& owner,
                                    const std::string& method) {
  torch::jit::Module module = copy_without(owner, method);
  add_method(module, graph, schema_for(owner.get_method(method), module.type()));
  return module;
}

}  // namespace torch_tensorrt::compiler
