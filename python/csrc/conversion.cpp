#include <torch/csrc/jit/python/pybind_utils.h>

#include <array>
#include <utility>

#include "bindings.h"
#include "compiler/conversion/op_context.h"
#include "core/dtype.h"
#include "core/error.h"
#include "core/infer.h"

namespace torch_tensorrt::python {

namespace py = pybind11;

namespace {

using compiler::Argument;
using compiler::Bound;
using compiler::OpContext;
using core::Value;

// ---- attributes of layers, from Python's values ----

struct AttributeReader {
  const py::handle& from;
  std::string_view layer, name;

  [[noreturn]] void fail(const std::string& expected) const {
    throw core::invalid_argument("[conversion] ", layer, ": attribute '", name, "' is ",
                                 py::repr(from).cast<std::string>(), ", expected ", expected);
  }
  template <typename T>
  T as(const char* expected) const {
    try {
      return from.cast<T>();
    } catch (const py::cast_error&) {
      fail(expected);
    }
  }
  void operator()(bool& value) const { value = as<bool>("a bool"); }
  void operator()(std::int64_t& value) const { value = as<std::int64_t>("an int"); }
  void operator()(double& value) const { value = as<double>("a float"); }
  void operator()(std::string& value) const { value = as<std::string>("a str"); }
  void operator()(core::DType& value) const {
    const auto dtype = core::dtype_from_name(as<std::string>("the name of a dtype"));
    if (!dtype) fail("the name of a dtype");
    value = *dtype;
  }
  template <core::AttributeEnum Enum>
  void operator()(Enum& value) const {
    const auto found = core::enum_from_name<Enum>(as<std::string>("a name"));
    if (!found) fail("one of " + core::join(core::enum_names<Enum>));
    value = *found;
  }
  template <typename T>
  void operator()(std::vector<T>& list) const {
    list.clear();
    for (const py::handle& element : as<py::sequence>("a list"))
      AttributeReader{element, layer, name}(list.emplace_back());
  }
  /// A number, or min, opt and max.
  void operator()(core::Extent& extent) const {
    if (py::isinstance<py::int_>(from)) {
      extent = as<std::int64_t>("an int");
      return;
    }
    const auto range = as<std::array<std::int64_t, 3>>("an int, or min, opt and max");
    extent = core::Extent::range(range[0], range[1], range[2]);
  }
  void operator()(core::TensorType& type) const {
    const auto parts = as<std::pair<py::object, py::object>>("a dtype and dimensions");
    AttributeReader{parts.first, layer, name}(type.dtype);
    AttributeReader{parts.second, layer, name}(type.dims);
  }
  void operator()(core::PluginField& field) const {
    const auto parts = as<std::pair<std::string, py::object>>("a name and a str or a tensor");
    field.name = parts.first;
    if (py::isinstance<py::str>(parts.second)) {
      field.value = parts.second.cast<std::string>();
    } else {
      field.value = compiler::constant_data(parts.second.cast<at::Tensor>());
    }
  }
  template <typename T>
  void operator()(T&) const {
    fail("nothing: it cannot be given from Python");
  }
};

void set_attributes(core::Layer& layer, const py::dict& attributes) {
  std::visit(
      [&](auto& l) {
        std::size_t known = 0;
        l.attributes(l, [&](std::string_view name, auto& value) {
          const py::str key(name.data(), name.size());
          if (!attributes.contains(key)) return;
          ++known;
          const py::handle given = attributes[key];
          AttributeReader{given, l.kind, name}(value);
        });
        if (known == attributes.size()) return;
        throw core::invalid_argument("[conversion] layer ", l.kind, " has no attribute among ",
                                     py::repr(attributes).cast<std::string>());
      },
      layer);
}

py::list add_layer(core::NetworkBuilder& net, const std::string& kind,
                   const std::vector<std::optional<Value>>& inputs, const py::dict& attributes) {
  std::optional<core::Layer> layer = core::layer_of_kind(kind);
  if (!layer) throw core::invalid_argument("[conversion] '", kind, "' is no layer kind");
  set_attributes(*layer, attributes);
  std::vector<Value> operands;
  for (const auto& input : inputs) operands.push_back(input.value_or(Value()));
  py::list results;
  for (const Value& result : net.add(std::move(*layer), operands)) results.append(result);
  return results;
}

Value constant(core::NetworkBuilder& net, const at::Tensor& tensor) {
  return compiler::Environment(net).constant(tensor);
}

// ---- what a converter sees of its node ----

py::object to_python(const Bound& bound) {
  if (const auto* value = std::get_if<Value>(&bound)) return py::cast(*value);
  return py::cast(std::get<std::vector<Value>>(bound));
}

py::object to_python(const Argument& argument, const compiler::Environment& environment) {
  if (const auto* list = argument.list()) {
    py::list elements;
    for (const Argument& element : *list) elements.append(to_python(element, environment));
    return elements;
  }
  if (const auto known = compiler::known_constant(argument)) return torch::jit::toPyObject(*known);
  return to_python(environment.at(argument.var()));
}

Bound to_bound(const py::handle& result, const std::string& op) {
  if (py::isinstance<Value>(result)) return result.cast<Value>();
  if (py::isinstance<py::list>(result)) return result.cast<std::vector<Value>>();
  throw core::invalid_argument("[conversion] the converter of ", op, " returned ",
                               py::repr(result).cast<std::string>(),
                               ", expected a tensor of ctx.net, or a tuple or list of those");
}

bool is_dtype(const c10::Argument& argument) {
  c10::TypePtr type = argument.real_type();
  if (const auto optional = type->cast<c10::OptionalType>()) type = optional->getElementType();
  return type->kind() == c10::TypeKind::ScalarTypeType;
}

py::object to_dtype(int number) {
  auto* dtype = torch::getTHPDtype(static_cast<at::ScalarType>(number));
  return py::reinterpret_borrow<py::object>(reinterpret_cast<PyObject*>(dtype));
}

/// A number where it is static, else min, opt and max.
py::object to_python(const core::Extent& extent) {
  if (extent.is_static()) return py::int_(extent.opt);
  return py::make_tuple(extent.min, extent.opt, extent.max);
}

py::tuple to_python(const std::vector<core::Extent>& extents) {
  py::tuple out(extents.size());
  for (std::size_t i = 0; i < extents.size(); ++i) out[i] = to_python(extents[i]);
  return out;
}

/// Dtype and dimensions that PyTorch's results have; None where they are not known.
py::list result_types(OpContext& op) {
  py::list out;
  for (std::size_t i = 0; i < op.node().outputs.size(); ++i) {
    const auto type = op.result_type(i);
    out.append(type ? py::object(py::make_tuple(std::string(core::name(type->dtype)),
                                                to_python(type->dims)))
                    : py::object(py::none()));
  }
  return out;
}

std::vector<Bound> call(const py::object& function, OpContext& op) {
  const py::gil_scoped_acquire gil;
  const compiler::Node& node = op.node();
  py::list args;
  py::dict kwargs;
  for (std::size_t i = 0; i < node.args.size(); ++i) {
    const c10::Argument& declared = node.schema()->arguments()[i];
    py::object value = to_python(node.args[i], op.environment());
    if (is_dtype(declared) && !value.is_none()) value = to_dtype(value.cast<int>());
    if (declared.kwarg_only()) {
      kwargs[py::str(declared.name())] = std::move(value);
    } else {
      args.append(std::move(value));
    }
  }
  try {
    const py::object result = function(py::cast(&op.net(), py::return_value_policy::reference),
                                       py::tuple(args), kwargs, op.where(), result_types(op));
    if (node.outputs.size() == 1) return {to_bound(result, node.name())};
    std::vector<Bound> bounds;
    for (const py::handle& element : result) bounds.push_back(to_bound(element, node.name()));
    return bounds;
  } catch (const py::error_already_set& error) {
    throw core::unsupported("[conversion] ", op.where(), ": its converter raised ",
                            py::str(error.value()).cast<std::string>());
  }
}

std::size_t add_converter(const std::string& op, const py::object& function,
                          const py::object& takes, bool high_priority) {
  // Leaked with the table: Python may be gone when it ends.
  auto* convert = new py::object(function);
  compiler::UserConverter converter{
      op, [convert](OpContext& context) { return call(*convert, context); }, {}, high_priority};
  if (!takes.is_none()) {
    auto* validator = new py::object(takes);
    converter.takes = [validator](const compiler::Node& node) {
      const py::gil_scoped_acquire gil;
      return (*validator)(py::cast(&node, py::return_value_policy::reference)).cast<bool>();
    };
  }
  return compiler::add_converter(std::move(converter));
}

py::tuple shape(const Value& value) {
  py::tuple dims(static_cast<std::size_t>(value.rank()));
  for (int i = 0; i < value.rank(); ++i) {
    const core::Extent& extent = value.dim(i);
    dims[static_cast<std::size_t>(i)] = extent.is_static() ? extent.opt : -1;
  }
  return dims;
}

}  // namespace

void init_conversion(py::module_& module) {
  using core::NetworkBuilder;
  py::class_<Value>(module, "Value", "A tensor of a Network under construction.")
      .def_property_readonly("id", &Value::id)
      .def_property_readonly("dtype",
                             [](const Value& value) { return std::string(name(value.dtype())); })
      .def_property_readonly("shape", &shape, "Sizes; -1 where dynamic.")
      .def_property_readonly(
          "extents", [](const Value& value) { return to_python(value.dims()); },
          "Sizes; min, opt and max where dynamic.")
      .def_property_readonly(
          "content",
          [](const Value& value) -> py::object {
            if (value.content() == nullptr) return py::none();
            return to_python(*value.content());
          },
          "What the host knows of the elements of a small integer, as extents; else None.");
  py::class_<NetworkBuilder>(module, "NetworkBuilder", "Writes the layers of a Network.")
      .def("add", &add_layer, py::arg("kind"), py::arg("inputs"), py::arg("attributes"))
      .def("constant", &constant, py::arg("tensor"))
      .def(
          "text", [](const NetworkBuilder& net) { return net.network().to_text(); },
          "The Network so far, a line a layer.")
      .def(
          "size",
          [](NetworkBuilder& net, const Value& x, int axis) {
            return net.value(net.size(x, axis));
          },
          py::arg("x"), py::arg("axis"));
  module.def("user_converter_names", &compiler::user_converter_names,
             "Ops that converters were added for.");
  module.def("add_converter", &add_converter, py::arg("op"), py::arg("function"), py::arg("takes"),
             py::arg("high_priority"));
  module.def("remove_converter", &compiler::remove_converter, py::arg("number"));
}

}  // namespace torch_tensorrt::python
