#include <string>

#include "bindings.h"
#include "core/engine.h"
#include "torch_tensorrt/torch_tensorrt.h"

namespace torch_tensorrt::python {

namespace py = pybind11;

namespace {

py::list engines() {
  py::list rows;
  for (const std::string& name : core::engine_plugin_names()) {
    std::string reason;
    const core::EnginePlugin* plugin = core::find_engine_plugin(name, &reason);
    std::string version;
    bool available = false;
    if (plugin) {
      const core::Availability availability = plugin->available();
      available = availability.yes;
      reason = availability.reason;
      if (available) version = plugin->version();
    }
    rows.append(py::make_tuple(name, available, version, reason));
  }
  return rows;
}

}  // namespace

void init_engines(py::module_& module) {
  module.def("engines", &engines,
             "(name, available, version, reason) of every engine plugin that was found.");
  module.def("build_info", &get_build_info);
  module.def("set_device", &set_device);
}

}  // namespace torch_tensorrt::python
