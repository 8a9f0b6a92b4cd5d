# torchtrt_target(<name> OBJECT|SHARED|PLUGIN|PYTHON|EXECUTABLE
#                 SOURCES <folder or object library>... [EXCLUDE <regex>] [OUTPUT <folder>] [LINK <target>...] [PCH])
#
# A target of all *.cpp files below the folders; new files need no edit here. A folder without sources makes no target,
# and a LINK to a project target that does not exist (yet) is left out.
#   OBJECT      compiled sources, to be named in SOURCES of others
#   SHARED      library of the package
#   PLUGIN      like SHARED, found at run time by name; exports only what is marked TORCHTRT_API
#   PYTHON      extension module
#   EXECUTABLE  program
#   OUTPUT      folder below the package (default: lib for libraries, bin for programs); an absolute path: outside it
#   EXCLUDE     regular expression of files that are left out
#   PCH         reuses the precompiled torch headers
function(torchtrt_target name kind)
  cmake_parse_arguments(PARSE_ARGV 2 arg "PCH" "OUTPUT;EXCLUDE" "SOURCES;LINK")
  set(sources)
  foreach(entry IN LISTS arg_SOURCES)
    if(TARGET ${entry})
      set(found $<TARGET_OBJECTS:${entry}>)
    else()
      file(GLOB_RECURSE found CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/${entry}/*.cpp")
      if(arg_EXCLUDE)
        list(FILTER found EXCLUDE REGEX "${arg_EXCLUDE}")
      endif()
    endif()
    list(APPEND sources ${found})
  endforeach()
  if(NOT sources)
    message(STATUS "${name}: no sources in ${arg_SOURCES}")
    return()
  endif()

  if(kind STREQUAL "EXECUTABLE")
    add_executable(${name} ${sources})
    cmake_path(ABSOLUTE_PATH arg_OUTPUT BASE_DIRECTORY "${TORCHTRT_PACKAGE_DIR}" OUTPUT_VARIABLE output)
  elseif(kind STREQUAL "PYTHON")
    Python_add_library(${name} MODULE WITH_SOABI ${sources})
    cmake_path(ABSOLUTE_PATH arg_OUTPUT BASE_DIRECTORY "${TORCHTRT_PACKAGE_DIR}" OUTPUT_VARIABLE output)
  elseif(kind STREQUAL "OBJECT")
    add_library(${name} OBJECT ${sources})
  else()
    add_library(${name} SHARED ${sources})
    set(output "${TORCHTRT_PACKAGE_DIR}/lib")
    if(NOT TORCHTRT_SANITIZE)
      target_link_options(${name} PRIVATE LINKER:-z,defs)
    endif()
  endif()
  set_target_properties(${name} PROPERTIES LIBRARY_OUTPUT_DIRECTORY "${output}" RUNTIME_OUTPUT_DIRECTORY "${output}"
    LINKER_LANGUAGE CXX)
  if(kind STREQUAL "PLUGIN" OR kind STREQUAL "PYTHON")
    set_target_properties(${name} PROPERTIES CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
  endif()

  target_include_directories(${name} PRIVATE "${PROJECT_SOURCE_DIR}/src" "${PROJECT_SOURCE_DIR}/include")
  target_link_libraries(${name} PRIVATE torchtrt_options)
  foreach(library IN LISTS arg_LINK)
    if(TARGET ${library} OR NOT library MATCHES "^torchtrt")
      target_link_libraries(${name} PRIVATE ${library})
    endif()
  endforeach()
  if(arg_PCH)
    target_precompile_headers(${name} REUSE_FROM torchtrt_pch)
  endif()
endfunction()

# The place of a target in the wheel, and where it looks for its libraries from there: `up` leads from that place to
# the package's folder.
function(torchtrt_install target destination up)
  if(NOT TARGET ${target})
    return()
  endif()
  set_target_properties(${target} PROPERTIES
    INSTALL_RPATH "$ORIGIN/${up}/lib;$ORIGIN/${up}/../torch/lib;$ORIGIN/${up}/../openvino/libs")
  install(TARGETS ${target} LIBRARY DESTINATION torch_tensorrt/${destination}
    RUNTIME DESTINATION torch_tensorrt/${destination})
endfunction()
