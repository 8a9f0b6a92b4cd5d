#include "compiler/program.h"

#include "core/error.h"

namespace torch_tensorrt::compiler {

Program::Program() : graph_(std::make_unique<Graph>()), module_("torch_tensorrt.Program") {
  graph_->add_input(graph_->body(), module_.type(), "self");
}

Var* Program::add_input(const c10::TypePtr& type, const std::string& name) {
  if (!states_.empty()) throw core::internal_error("[capture] an input behind the states: ", name);
  return graph_->add_input(graph_->body(), type, name);
}

Var* Program::add_state(const std::string& name, const at::Tensor& tensor) {
  module_.register_buffer(name, tensor);
  states_.push_back(name);
  return graph_->add_input(graph_->body(), c10::TensorType::get(), name);
}

Node* Program::add_op(Block& block, std::shared_ptr<torch::jit::Operator> op,
                      std::vector<Argument> args, core::Origin origin,
                      std::vector<std::string> module_types) {
  const c10::FunctionSchema& schema = op->schema();
  Node* node = graph_->append(block, c10::Symbol::fromQualString(schema.name()), std::move(args));
  for (const c10::Argument& result : schema.returns()) graph_->add_output(node, result.type());
  node->op = std::move(op);
  node->origin = std::move(origin);
  node->module_types = std::move(module_types);
  return node;
}

void Program::set_outputs(std::vector<Argument> outputs) {
  graph_->body().outputs = std::move(outputs);
  graph_->verify();
}

std::shared_ptr<torch::jit::Operator> find_operator(const std::string& name,
                                                    const std::string& overload) {
  // The operators of TorchScript itself (arithmetic on numbers) are in this table only.
  for (auto& candidate : torch::jit::getAllOperatorsFor(c10::Symbol::fromQualString(name))) {
    if (candidate->schema().overload_name() == overload) return candidate;
  }
  return nullptr;
}

}  // namespace torch_tensorrt::compiler
