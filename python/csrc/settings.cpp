#include "settings.h"

#include <algorithm>

#include "bindings.h"
#include "core/error.h"

namespace torch_tensorrt::python {

namespace py = pybind11;

namespace {

core::Error wrong_value(const std::string& name, const py::handle& value) {
  const auto& table = core::setting_table();
  const auto kind = std::ranges::find(table, name, &core::SettingInfo::name)->kind;
  return core::invalid_argument(
      "setting '", name, "' is ", py::repr(value).cast<std::string>(), ", expected ",
      kind == "int" ? "an " : "a ", kind,
      kind == "int" && py::isinstance<py::int_>(value) ? " of 64 bits" : "");
}

/// The value of a setting that exists.
core::SettingValue to_setting_value(const std::string& name, const py::handle& value) {
  if (py::isinstance<py::bool_>(value)) return value.cast<bool>();
  if (py::isinstance<py::int_>(value)) {
    try {
      return value.cast<std::int64_t>();
    } catch (const py::cast_error&) {
      throw wrong_value(name, value);
    }
  }
  if (py::isinstance<py::str>(value)) return value.cast<std::string>();
  const bool sequence = py::isinstance<py::list>(value) || py::isinstance<py::tuple>(value) ||
                        py::isinstance<py::set>(value) || py::isinstance<py::frozenset>(value);
  if (!sequence) throw wrong_value(name, value);
  core::Strings strings;
  for (const py::handle& element : value) {
    if (!py::isinstance<py::str>(element)) throw wrong_value(name, value);
    strings.push_back(element.cast<std::string>());
  }
  return strings;
}

py::list setting_table() {
  py::list table;
  for (const core::SettingInfo& info : core::setting_table()) {
    py::dict row;
    row["name"] = info.name;
    row["kind"] = info.kind;
    row["default"] = info.default_text;
    row["doc"] = info.doc;
    table.append(row);
  }
  return table;
}

}  // namespace

core::Settings to_settings(const py::dict& keywords) {
  core::Settings settings;
  for (const auto& [key, value] : keywords) {
    const auto name = key.cast<std::string>();
    static_cast<void>(core::get_setting(settings, name));  // it exists
    core::set_setting(settings, name, to_setting_value(name, value));
  }
  return settings;
}

void init_settings(py::module_& module) {
  module.def("setting_table", &setting_table,
             "Rows with name, kind, default and doc, in declaration order.");
  module.def(
      "check_settings", [](const py::dict& keywords) { to_settings(keywords); },
      "Raises where a keyword is unknown or its value does not fit.");
}

}  // namespace torch_tensorrt::python
