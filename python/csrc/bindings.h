#pragma once

// The extension module `torch_tensorrt._C`: one file per area, each with an init function. No logic
// lives here: Python types in, the compiler's types out.

#include <torch/csrc/utils/pybind.h>

namespace torch_tensorrt::python {

void init_errors(pybind11::module_& module);
void init_logging(pybind11::module_& module);
void init_settings(pybind11::module_& module);
void init_engines(pybind11::module_& module);
void init_compiler(pybind11::module_& module);
void init_program(pybind11::module_& module);
void init_foreign(pybind11::module_& module);
void init_conversion(pybind11::module_& module);

}  // namespace torch_tensorrt::python
