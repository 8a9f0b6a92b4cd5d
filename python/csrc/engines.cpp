#include <ATen/core/dispatch/Dispatcher.h>
#include <torch/csrc/Exceptions.h>
#include <torch/csrc/jit/api/object.h>

#include <string>
#include <vector>

#include "bindings.h"
#include "core/engine.h"
#include "runtime/engine.h"
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

using Tensors = std::vector<at::Tensor>;

/// tensorrt::execute_engine by PyTorch's dispatcher, without what torch.ops does in Python for
/// arguments that are script objects, which takes longer than a small engine.
Tensors execute_engine(const Tensors& inputs, const torch::jit::Object& engine) {
  using Engine = c10::intrusive_ptr<runtime::Engine>;
  static const auto op = c10::Dispatcher::singleton()
                             .findSchemaOrThrow("tensorrt::execute_engine", "")
                             .typed<Tensors(const Tensors&, const Engine&)>();
  const Engine known = c10::IValue(engine._ivalue()).toCustomClass<runtime::Engine>();
  return op.call(inputs, known);
}

}  // namespace

void init_engines(py::module_& module) {
  module.def("engines", &engines,
             "(name, available, version, reason) of every engine plugin that was found.");
  module.def("execute_engine", torch::wrap_pybind_function_no_gil(&execute_engine),
             py::arg("inputs"), py::arg("engine"));
  module.def("build_info", &get_build_info);
  module.def("set_device", &set_device);
}

}  // namespace torch_tensorrt::python
