#include "compiler/program.h"

#include <torch/csrc/DynamicTypes.h>
#include <torch/csrc/jit/python/pybind_utils.h>
#include <torch/csrc/utils/tensor_memoryformats.h>

#include <limits>

#include "bindings.h"
#include "compiler/assembly/torchscript.h"
#include "compiler/driver.h"
#include "compiler/lowering/shape_run.h"
#include "core/error.h"
#include "runtime/engine.h"
#include "settings.h"

namespace torch_tensorrt::python {

namespace py = pybind11;

namespace {

using compiler::Argument;
using compiler::Block;
using compiler::Node;
using compiler::Program;
using compiler::Var;

bool holds_var(const py::handle& value) {
  if (py::isinstance<Var>(value)) return true;
  if (!py::isinstance<py::list>(value) && !py::isinstance<py::tuple>(value)) return false;
  for (const py::handle& element : value) {
    if (holds_var(element)) return true;
  }
  return false;
}

c10::TypePtr element_type(c10::TypePtr type) {
  if (const auto optional = type->cast<c10::OptionalType>()) type = optional->getElementType();
  const auto list = type->cast<c10::ListType>();
  return list ? list->getElementType() : type;
}

Argument to_argument(const py::handle& value, const c10::TypePtr& type,
                     std::optional<std::int32_t> count) {
  if (py::isinstance<Var>(value)) return value.cast<Var*>();
  if (!holds_var(value)) return torch::jit::toIValue(value, type, count);
  Argument::List elements;
  for (const py::handle& element : value)
    elements.push_back(to_argument(element, element_type(type), std::nullopt));
  return elements;
}

/// The arguments of a call in the schema's order, defaults filled in.
std::vector<Argument> to_arguments(const c10::FunctionSchema& schema, const py::tuple& args,
                                   const py::dict& kwargs) {
  std::vector<Argument> result;
  if (args.size() > schema.arguments().size()) {
    throw core::invalid_argument("[capture] ", schema.name(), " got ", args.size(),
                                 " arguments, expected at most ", schema.arguments().size());
  }
  for (const auto& [name, value] : kwargs) {
    if (schema.argumentIndexWithName(py::cast<std::string>(name))) continue;
    throw core::invalid_argument("[capture] ", schema.name(), " has no argument '",
                                 py::cast<std::string>(name), "': its schema is ",
                                 c10::toString(schema));
  }
  for (std::size_t i = 0; i < schema.arguments().size(); ++i) {
    const c10::Argument& argument = schema.arguments()[i];
    const py::str name(argument.name());
    if (i < args.size()) {
      result.push_back(to_argument(args[i], argument.type(), argument.N()));
    } else if (kwargs.contains(name)) {
      result.push_back(to_argument(kwargs[name], argument.type(), argument.N()));
    } else if (argument.default_value()) {
      result.emplace_back(*argument.default_value());
    } else {
      throw core::invalid_argument("[capture] ", schema.name(), " lacks its argument '",
                                   argument.name(), "'");
    }
  }
  return result;
}

/// A number that stands for a dtype, layout or memory format as PyTorch's object for it.
py::object as_enum(std::int64_t number, const c10::Type& type) {
  switch (type.kind()) {
    case c10::TypeKind::ScalarTypeType:
      return py::reinterpret_borrow<py::object>(
          reinterpret_cast<PyObject*>(torch::getTHPDtype(static_cast<at::ScalarType>(number))));
    case c10::TypeKind::LayoutType:
      return py::reinterpret_borrow<py::object>(
          reinterpret_cast<PyObject*>(torch::getTHPLayout(static_cast<at::Layout>(number))));
    case c10::TypeKind::MemoryFormatType:
      return py::reinterpret_borrow<py::object>(
          torch::utils::getTHPMemoryFormat(static_cast<at::MemoryFormat>(number)));
    default:
      return py::int_(number);
  }
}

py::object to_python(const Argument& argument, const c10::Argument* declared) {
  if (Var* var = argument.var()) return py::cast(var, py::return_value_policy::reference);
  if (const auto* list = argument.list()) {
    py::list elements;
    for (const Argument& element : *list) elements.append(to_python(element, nullptr));
    return elements;
  }
  const c10::IValue& value = *argument.constant();
  if (declared && value.isInt()) {
    c10::TypePtr type = declared->real_type();
    if (const auto optional = type->cast<c10::OptionalType>()) type = optional->getElementType();
    return as_enum(value.toInt(), *type);
  }
  return torch::jit::toPyObject(value);
}

py::list node_args(const Node& node) {
  py::list args;
  const auto* schema = node.schema();
  for (std::size_t i = 0; i < node.args.size(); ++i) {
    args.append(to_python(node.args[i], schema && i < schema->arguments().size()
                                            ? &schema->arguments()[i]
                                            : nullptr));
  }
  return args;
}

/// References: the Program owns what its Graph holds.
template <typename Range>
py::list references(const Range& range) {
  py::list list;
  for (const auto& element : range)
    list.append(py::cast(&*element, py::return_value_policy::reference));
  return list;
}

py::list block_outputs(const Block& block) {
  py::list outputs;
  for (const Argument& output : block.outputs) outputs.append(to_python(output, nullptr));
  return outputs;
}

c10::TypePtr input_type(const std::string& name) {
  if (name == "int") return c10::IntType::get();
  if (name == "float") return c10::FloatType::get();
  if (name == "bool") return c10::BoolType::get();
  return c10::TensorType::get();
}

struct Place {
  std::string location, scope;
  std::vector<std::string> module_types;
};

py::list add_op(Program& program, Block& block, const std::string& name,
                const std::string& overload, const py::tuple& args, const py::dict& kwargs,
                const Place& place) {
  auto op = compiler::find_operator(name, overload);
  if (!op)
    throw core::internal_error("[capture] no operator ", name,
                               overload.empty() ? "" : "." + overload);
  std::vector<Argument> arguments = to_arguments(op->schema(), args, kwargs);
  return references(program
                        .add_op(block, std::move(op), std::move(arguments),
                                {place.scope, place.location}, place.module_types)
                        ->outputs);
}

/// An engine that is built already.
py::list add_engine(Program& program, Block& block, const py::list& inputs,
                    const py::object& engine, const Place& place) {
  Argument::List tensors;
  for (const py::handle& input : inputs)
    tensors.push_back(to_argument(input, c10::TensorType::get(), std::nullopt));
  c10::IValue value = torch::jit::toIValue(engine, c10::AnyType::get());
  const auto count = value.toCustomClass<runtime::Engine>()->artifact().outputs.size();
  Node* node =
      program.graph().append(block, c10::Symbol::fromQualString("tensorrt::execute_engine"),
                             {std::move(tensors), std::move(value)});
  node->origin = {place.scope, place.location};
  for (std::size_t i = 0; i < count; ++i) program.graph().add_output(node, c10::TensorType::get());
  return references(node->outputs);
}

/// The elements of a list of tensors.
py::list unpack(Program& program, Block& block, Var* list, std::size_t count) {
  Node* node = program.graph().append(block, c10::prim::ListUnpack, {list});
  if (list->producer) node->origin = list->producer->origin;
  const c10::TypePtr type = element_type(list->type);
  for (std::size_t i = 0; i < count; ++i) program.graph().add_output(node, type);
  return references(node->outputs);
}

void add_block(Node* node) {
  node->blocks.push_back(std::make_unique<Block>());
  node->blocks.back()->owner = node;
}

Node* add_branch(Program& program, Block& block, const py::handle& condition,
                 const std::vector<std::string>& result_types, const Place& place) {
  Node* node = program.graph().append(block, c10::prim::If,
                                      {to_argument(condition, c10::BoolType::get(), {})});
  node->origin = {place.scope, place.location};
  for (int i = 0; i < 2; ++i) add_block(node);
  for (const std::string& type : result_types) program.graph().add_output(node, input_type(type));
  return node;
}

/// A loop while its condition holds. Its block has the number of the trip and the carried values as
/// inputs; its outputs are the next condition and the next values.
Node* add_loop(Program& program, Block& block, const py::handle& condition, const py::list& carried,
               const std::vector<std::string>& types, const Place& place) {
  compiler::Graph& graph = program.graph();
  std::vector<Argument> args = {c10::IValue(std::numeric_limits<std::int64_t>::max()),
                                to_argument(condition, c10::BoolType::get(), {})};
  for (std::size_t i = 0; i < types.size(); ++i)
    args.push_back(to_argument(carried[i], input_type(types[i]), {}));
  Node* node = graph.append(block, c10::prim::Loop, std::move(args));
  node->origin = {place.scope, place.location};
  add_block(node);
  Block& body = *node->blocks[0];
  graph.add_input(body, c10::IntType::get());
  for (const std::string& type : types) {
    graph.add_input(body, input_type(type));
    graph.add_output(node, input_type(type));
  }
  return node;
}

std::vector<Argument> output_arguments(const py::list& values) {
  std::vector<Argument> outputs;
  for (const py::handle& value : values)
    outputs.push_back(to_argument(value, c10::AnyType::get(), std::nullopt));
  return outputs;
}

compiler::Probe to_probe(const py::list& point) {
  compiler::Probe probe;
  for (const py::handle& value : point)
    probe.emplace_back(torch::jit::toIValue(value, c10::AnyType::get()));
  return probe;
}

bool runs_at(Program& program, const py::list& usual, const py::list& other) {
  compiler::Probe first = to_probe(usual), second = to_probe(other);
  const py::gil_scoped_release no_gil;
  return compiler::runs_at(program, std::move(first), std::move(second));
}

std::string compile(Program& program, const std::vector<py::list>& points, std::size_t required,
                    const py::dict& keywords) {
  const core::Settings settings = to_settings(keywords);
  std::vector<compiler::Probe> probes;
  for (const py::list& point : points) probes.push_back(to_probe(point));
  const py::gil_scoped_release no_gil;
  return compiler::compile(program, std::move(probes), required, settings).to_json();
}

}  // namespace

void init_program(py::module_& module) {
  compiler::set_after_failure([] {
    const py::gil_scoped_acquire gil;
    PyErr_Clear();
  });
  py::class_<Var>(module, "Var", "A value of a Program.")
      .def_readonly("id", &Var::id)
      .def_readonly("name", &Var::name)
      .def_property_readonly("type", [](const Var& var) { return var.type->annotation_str(); })
      .def_property_readonly("is_tensor", &Var::is_tensor)
      .def_property_readonly(
          "samples",
          [](const Var& var) -> py::object {
            if (!var.fact) return py::none();
            py::list samples;
            for (const c10::IValue& sample : var.fact->samples)
              samples.append(torch::jit::toPyObject(sample));
            return samples;
          },
          "What it is at each probe of the input shapes (meta tensors), or None: not known.");
  py::class_<Block>(module, "Block", "Nodes, with inputs and outputs.")
      .def_property_readonly("inputs", [](const Block& block) { return references(block.inputs); })
      .def_property_readonly("nodes", [](const Block& block) { return references(block.nodes); })
      .def_property("outputs", &block_outputs, [](Block& block, const py::list& values) {
        block.outputs = output_arguments(values);
      });
  py::class_<Node>(module, "Node", "An operator applied to values and constants.")
      .def_property_readonly("kind", &Node::qualified_kind)
      .def_property_readonly(
          "overload",
          [](const Node& node) { return node.op ? node.op->schema().overload_name() : ""; })
      .def_property_readonly("args", &node_args)
      .def_property_readonly("outputs", [](const Node& node) { return references(node.outputs); })
      .def_property_readonly("blocks", [](const Node& node) { return references(node.blocks); })
      .def_property_readonly("location", [](const Node& node) { return node.origin.location; })
      .def_property_readonly("scope", [](const Node& node) { return node.origin.scope; })
      .def("keep_in_torch", [](Node& node, const std::string& code, const std::string& reason) {
        node.torch_code = code;
        node.torch_because = reason;
      });
  py::class_<Place>(module, "Place", "Where a node comes from in the user's program.")
      .def(py::init<std::string, std::string, std::vector<std::string>>(), py::arg("location"),
           py::arg("scope"), py::arg("module_types"))
      .def_readonly("location", &Place::location)
      .def_readonly("scope", &Place::scope);
  py::class_<Program>(module, "Program", "A captured program that is decoded node by node.")
      .def(py::init<>())
      .def(
          "input",
          [](Program& program, const std::string& name, const std::string& type) {
            return program.add_input(input_type(type), name);
          },
          py::return_value_policy::reference_internal, py::arg("name"), py::arg("type"))
      .def(
          "state",
          [](Program& program, const std::string& name, const at::Tensor& tensor) {
            return program.add_state(name, tensor);
          },
          py::return_value_policy::reference_internal, py::arg("name"), py::arg("tensor"))
      .def_property_readonly(
          "body", [](Program& program) { return &program.graph().body(); },
          py::return_value_policy::reference_internal)
      .def_property_readonly("states", &Program::states)
      .def("op", &add_op, py::arg("block"), py::arg("name"), py::arg("overload"), py::arg("args"),
           py::arg("kwargs"), py::arg("place"))
      .def("engine", &add_engine, py::arg("block"), py::arg("inputs"), py::arg("engine"),
           py::arg("place"))
      .def("unpack", &unpack, py::arg("block"), py::arg("list"), py::arg("count"))
      .def("branch", &add_branch, py::return_value_policy::reference_internal, py::arg("block"),
           py::arg("condition"), py::arg("result_types"), py::arg("place"))
      .def("loop", &add_loop, py::return_value_policy::reference_internal, py::arg("block"),
           py::arg("condition"), py::arg("carried"), py::arg("types"), py::arg("place"))
      .def(
          "finish",
          [](Program& program, const py::list& outputs) {
            program.set_outputs(output_arguments(outputs));
          },
          py::arg("outputs"))
      .def("runs_at", &runs_at, py::arg("usual"), py::arg("other"))
      .def("compile", &compile, py::arg("points"), py::arg("required"), py::arg("settings"))
      .def(
          "to_torchscript",
          [](const Program& program, const compiler::Signature& inputs,
             const std::vector<std::string>& names, const compiler::Signature& outputs) {
            return compiler::emit_torchscript(program, inputs, names, outputs);
          },
          py::arg("inputs"), py::arg("argument_names"), py::arg("outputs"))
      .def_property_readonly("computed_with",
                             [](const Program& program) {
                               std::vector<std::uintptr_t> places;
                               for (const void* place : program.graph().computed_with)
                                 places.push_back(reinterpret_cast<std::uintptr_t>(place));
                               return places;
                             })
      .def("to_text", [](const Program& program) { return program.graph().to_text(); });
  module.def(
      "has_operator",
      [](const std::string& name, const std::string& overload) {
        return compiler::find_operator(name, overload) != nullptr;
      },
      py::arg("name"), py::arg("overload"));
}

}  // namespace torch_tensorrt::python
