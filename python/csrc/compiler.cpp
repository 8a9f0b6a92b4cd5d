#include "compiler/driver.h"

#include <variant>

#include "bindings.h"
#include "compiler/capture/torchscript.h"
#include "compiler/conversion/op_context.h"
#include "core/artifact.h"
#include "core/engine.h"
#include "core/error.h"
#include "settings.h"

namespace torch_tensorrt::python {

namespace py = pybind11;

namespace {

using Dims = std::vector<std::int64_t>;
using Method = const std::string&;
using ScriptModule = const torch::jit::Module&;
using compiler::Signature;

Signature leaf(Dims min, Dims opt, Dims max, std::optional<at::ScalarType> dtype,
               bool channels_last, std::string name) {
  return Signature::leaf(
      {std::move(min), std::move(opt), std::move(max), dtype, channels_last, std::move(name)});
}

Signature nested(Signature::Kind kind, std::vector<Signature> elements) {
  Signature signature;
  signature.kind = kind;
  signature.elements = std::move(elements);
  return signature;
}

Signature list(std::vector<Signature> elements) {
  return nested(Signature::Kind::list, std::move(elements));
}

Signature dict(std::vector<std::string> keys, std::vector<Signature> values) {
  Signature signature = nested(Signature::Kind::dict, std::move(values));
  signature.keys = std::move(keys);
  return signature;
}

using Number = std::variant<std::monostate, bool, std::int64_t, double, std::string>;

Signature value(const Number& example) {
  const auto to_ivalue = [](const auto& v) -> c10::IValue {
    if constexpr (std::is_same_v<std::decay_t<decltype(v)>, std::monostate>)
      return {};
    else
      return v;
  };
  return Signature::value(std::visit(to_ivalue, example));
}

torch::jit::Module compile(ScriptModule module, const Signature& inputs, const py::dict& keywords,
                           Method method) {
  const core::Settings settings = to_settings(keywords);
  py::gil_scoped_release no_gil;
  return compiler::compile(module, inputs, settings, method).module;
}

py::bytes convert_method_to_engine(ScriptModule module, const Signature& inputs,
                                   const py::dict& keywords, Method method) {
  const core::Settings settings = to_settings(keywords);
  std::vector<std::byte> bytes;
  {
    py::gil_scoped_release no_gil;
    bytes = compiler::convert_method_to_engine(module, inputs, settings, method);
  }
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::vector<std::byte> copied(const py::bytes& data) {
  const std::string_view view = data;
  const auto* first = reinterpret_cast<const std::byte*>(view.data());
  return {first, first + view.size()};
}

py::bytes build_plan(const py::bytes& artifact, const std::string& engine,
                     const std::string& target) {
  const core::Artifact parsed = core::Artifact::from_bytes(core::Blob::of(copied(artifact)));
  const core::EnginePlugin& plugin = core::engine_plugin(engine);
  core::BuildOptions options;
  options.target = target;
  core::Plan plan;
  {
    const py::gil_scoped_release no_gil;
    for (const core::Node& node : parsed.network->nodes()) {
      if (const core::Support support = plugin.supports(*parsed.network, node); !support.yes)
        throw core::unsupported(support.reason);
    }
    plan = plugin.build(*parsed.network, options);
  }
  return {reinterpret_cast<const char*>(plan.payload.data()), plan.payload.size()};
}

torch::jit::Module embed_engine(const py::bytes& artifact, const py::dict& keywords) {
  return compiler::embed_engine(copied(artifact), to_settings(keywords));
}

}  // namespace

void init_compiler(py::module_& module) {
  py::class_<Signature>(module, "Signature", "The inputs of a method, a leaf per tensor.")
      .def_static("leaf", &leaf, py::arg("min"), py::arg("opt"), py::arg("max"), py::arg("dtype"),
                  py::arg("channels_last"), py::arg("name"))
      .def_static("tuple", &Signature::tuple, py::arg("elements"))
      .def_static("list", &list, py::arg("elements"))
      .def_static("dict", &dict, py::arg("keys"), py::arg("values"))
      .def_static("value", &value, py::arg("example"));
  module.def("compile", &compile, py::arg("module"), py::arg("inputs"), py::arg("settings"),
             py::arg("method"));
  module.def("convert_method_to_engine", &convert_method_to_engine, py::arg("module"),
             py::arg("inputs"), py::arg("settings"), py::arg("method"));
  module.def(
      "drop_methods", [](const torch::jit::Module& module) { compiler::Scratch().adopt(module); },
      py::arg("module"), "Frees the methods of a module that nobody will call again.");
  module.def("unsupported_ops", &compiler::unsupported_ops, py::arg("module"), py::arg("method"));
  module.def("build_plan", &build_plan, py::arg("artifact"), py::arg("engine"), py::arg("target"),
             "The network of an artifact as an engine's own bytes. NotImplementedError: a layer "
             "is not supported.");
  module.def("embed_engine", &embed_engine, py::arg("artifact"), py::arg("settings"));
  module.def(
      "report_text",
      [](const std::string& json) { return compiler::Report::from_json(json).to_text(); },
      py::arg("json"));
  module.def(
      "op_schemas", [] { return compiler::op_table().schemas(); },
      "Schemas of the ops that have a converter, by name.");
  module.def(
      "op_names", [] { return compiler::op_table().names(); },
      "Names of the ops that have a converter, other spellings included, sorted.");
}

}  // namespace torch_tensorrt::python
