#include <pybind11/native_enum.h>

#include "bindings.h"
#include "core/log.h"

namespace torch_tensorrt::python {

namespace py = pybind11;

void init_logging(py::module_& module) {
  using core::LogLevel;
  py::native_enum<LogLevel>(module, "LogLevel", "enum.IntEnum",
                            "Levels of the log, the gravest first.")
      .value("InternalError", LogLevel::internal_error)
      .value("Error", LogLevel::error)
      .value("Warning", LogLevel::warning)
      .value("Info", LogLevel::info)
      .value("Debug", LogLevel::debug)
      .value("Graph", LogLevel::graph)
      .finalize();
  module.def("log", [](LogLevel level, const std::string& message) { core::log(level, message); });
  module.def("get_reportable_log_level", &core::reportable_log_level);
  module.def("set_reportable_log_level", &core::set_reportable_log_level);
  module.def("get_logging_prefix", &core::logging_prefix);
  module.def("set_logging_prefix", &core::set_logging_prefix);
  module.def("get_is_colored_output_on", &core::is_colored_output_on);
  module.def("set_is_colored_output_on", &core::set_is_colored_output_on);
}

}  // namespace torch_tensorrt::python
