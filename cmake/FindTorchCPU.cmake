# Finds the torch of a Python environment without importing it and without its own CMake package, which needs a CUDA
# toolkit wherever the CUDA build of torch is installed (the default on PyPI).
#
# Looked at, in this order: TorchCPU_ROOT (a folder with include/ and lib/: torch's folder in site-packages, or an
# unpacked libtorch), TorchCPU_HINTS, the environment of Python_EXECUTABLE or of python3 on the PATH.
#
# Targets: torch::cpu (libtorch_cpu and libc10), torch::python (libtorch_python, only where that library is present).
# Variables: TorchCPU_FOUND, TorchCPU_VERSION, TorchCPU_LIBRARY_DIR.

include("${CMAKE_CURRENT_LIST_DIR}/PythonPackageFolder.cmake")

if(NOT TorchCPU_ROOT)
  python_package_folder(_torchcpu_from_python torch)
endif()
find_path(TorchCPU_INCLUDE_DIR torch/script.h
  HINTS ${TorchCPU_ROOT} ${TorchCPU_HINTS} ${_torchcpu_from_python} PATH_SUFFIXES include NO_DEFAULT_PATH)
get_filename_component(_torchcpu_root "${TorchCPU_INCLUDE_DIR}" DIRECTORY)
set(TorchCPU_LIBRARY_DIR "${_torchcpu_root}/lib")

set(_torchcpu_version_file "${TorchCPU_INCLUDE_DIR}/torch/headeronly/version.h")
if(EXISTS "${_torchcpu_version_file}")
  file(STRINGS "${_torchcpu_version_file}" _torchcpu_lines REGEX "define TORCH_VERSION_(MAJOR|MINOR|PATCH) ")
  string(REGEX REPLACE "[^0-9;]+" "" _torchcpu_lines "${_torchcpu_lines}")
  list(JOIN _torchcpu_lines "." TorchCPU_VERSION)
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(TorchCPU
  REQUIRED_VARS TorchCPU_LIBRARY_DIR TorchCPU_INCLUDE_DIR
  VERSION_VAR TorchCPU_VERSION HANDLE_VERSION_RANGE
  REASON_FAILURE_MESSAGE
    "install torch 2.11 to 2.15 (`pip install torch==2.11.0`) and name that Python with -DPython_EXECUTABLE=..., or \
name torch's folder with -DTorchCPU_ROOT=...")

if(TorchCPU_FOUND AND NOT TARGET torch::cpu)
  add_library(torch::c10 SHARED IMPORTED)
  set_target_properties(torch::c10 PROPERTIES IMPORTED_LOCATION "${TorchCPU_LIBRARY_DIR}/libc10.so")
  add_library(torch::cpu SHARED IMPORTED)
  set_target_properties(torch::cpu PROPERTIES
    IMPORTED_LOCATION "${TorchCPU_LIBRARY_DIR}/libtorch_cpu.so"
    INTERFACE_INCLUDE_DIRECTORIES "${TorchCPU_INCLUDE_DIR};${TorchCPU_INCLUDE_DIR}/torch/csrc/api/include"
    INTERFACE_COMPILE_FEATURES cxx_std_20
    INTERFACE_LINK_LIBRARIES torch::c10)
  if(EXISTS "${TorchCPU_LIBRARY_DIR}/libtorch_python.so")
    add_library(torch::python SHARED IMPORTED)
    set_target_properties(torch::python PROPERTIES
      IMPORTED_LOCATION "${TorchCPU_LIBRARY_DIR}/libtorch_python.so"
      INTERFACE_LINK_LIBRARIES torch::cpu)
  endif()
endif()
