#include "bindings.h"

PYBIND11_MODULE(_C, module) {
  using namespace torch_tensorrt::python;
  module.doc() =
      "Bindings of Torch-TensorRT's C++ compiler; use the functions of `torch_tensorrt` instead.";
  init_errors(module);
  init_logging(module);
  init_settings(module);
  init_engines(module);
  init_compiler(module);
  init_conversion(module);
  init_program(module);
  init_foreign(module);
}
