#include <exception>

#include "bindings.h"
#include "core/error.h"

namespace torch_tensorrt::python {
namespace {

PyObject* python_type(core::ErrorKind kind) {
  switch (kind) {
    case core::ErrorKind::invalid_argument:
      return PyExc_ValueError;
    case core::ErrorKind::unsupported:
      return PyExc_NotImplementedError;
    case core::ErrorKind::unknown_setting:
      return PyExc_TypeError;
    case core::ErrorKind::unavailable:
      return PyExc_ImportError;
    case core::ErrorKind::incompatible:
    case core::ErrorKind::engine_failed:
    case core::ErrorKind::internal:
      return PyExc_RuntimeError;
  }
  return PyExc_RuntimeError;
}

void translate(std::exception_ptr exception) {
  try {
    if (exception) std::rethrow_exception(exception);
  } catch (const core::Error& error) {
    PyErr_SetString(python_type(error.kind()), error.what());
  } catch (const c10::Error& error) {
    // Without the C++ backtrace that what() appends.
    PyErr_SetString(PyExc_RuntimeError, error.what_without_backtrace());
  }
}

}  // namespace

void init_errors(pybind11::module_&) { pybind11::register_local_exception_translator(&translate); }

}  // namespace torch_tensorrt::python
