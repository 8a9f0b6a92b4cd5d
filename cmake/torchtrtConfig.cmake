# find_package(torchtrt): targets of an installed Torch-TensorRT.
#
#   torchtrt::runtime    loads and runs compiled modules: all that a deployment links
#   torchtrt::torchtrt   compiler and C++ API (torch_tensorrt/torch_tensorrt.h, converter.h); brings the runtime
#
# torchtrt_runtime and torchtrt are the same targets under the names that upstream's examples link.
#
# Both bring libtorch. Its folder is looked for beside this package, then in the environment of Python_EXECUTABLE or
# python3; -DTorchCPU_ROOT=<folder with include/ and lib/> names another. It must have the version of torch that this
# package was built with.

get_filename_component(_torchtrt_package "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)

list(PREPEND CMAKE_MODULE_PATH "${CMAKE_CURRENT_LIST_DIR}")
set(TorchCPU_HINTS "${_torchtrt_package}/../torch")
include(CMakeFindDependencyMacro)
find_dependency(TorchCPU 2.11...<2.16)
list(REMOVE_ITEM CMAKE_MODULE_PATH "${CMAKE_CURRENT_LIST_DIR}")

function(_torchtrt_import name library)
  if(NOT TARGET torchtrt::${name})
    add_library(torchtrt::${name} SHARED IMPORTED)
    set_target_properties(torchtrt::${name} PROPERTIES
      IMPORTED_LOCATION "${_torchtrt_package}/lib/lib${library}.so"
      INTERFACE_INCLUDE_DIRECTORIES "${_torchtrt_package}/include"
      INTERFACE_COMPILE_FEATURES cxx_std_20
      INTERFACE_LINK_LIBRARIES "${ARGN};torch::cpu"
      # Loading the runtime registers the engine class with PyTorch, so it is needed even where no symbol of it is.
      INTERFACE_LINK_OPTIONS "LINKER:--no-as-needed")
  endif()
endfunction()
_torchtrt_import(runtime torchtrt_runtime)
_torchtrt_import(torchtrt torchtrt torchtrt::runtime)
# The compiler's headers behind torch_tensorrt/converter.h.
target_include_directories(torchtrt::torchtrt INTERFACE "${_torchtrt_package}/include/torch_tensorrt/detail")
if(NOT TARGET torchtrt_runtime)
  add_library(torchtrt_runtime ALIAS torchtrt::runtime)
  add_library(torchtrt ALIAS torchtrt::torchtrt)
endif()
set(torchtrt_FOUND TRUE)
