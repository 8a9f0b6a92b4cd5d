# Completes <build>/package/torch_tensorrt, where the libraries were put, with links to the Python sources, headers and
# CMake files: the installed layout, always up to date with the sources.

file(MAKE_DIRECTORY "${TORCHTRT_PACKAGE_DIR}/share/cmake/torchtrt")

function(torchtrt_link source folder)
  cmake_path(GET source FILENAME name)
  if(NOT IS_SYMLINK "${folder}/${name}")
    file(CREATE_LINK "${source}" "${folder}/${name}" SYMBOLIC)
  endif()
endfunction()

file(GLOB package_entries LIST_DIRECTORIES true "${TORCHTRT_PACKAGE_DIR}/*")
foreach(entry IN LISTS package_entries)
  if(IS_SYMLINK "${entry}" AND NOT EXISTS "${entry}")
    file(REMOVE "${entry}")
  endif()
endforeach()

file(GLOB python_entries CONFIGURE_DEPENDS LIST_DIRECTORIES true "${PROJECT_SOURCE_DIR}/python/torch_tensorrt/*")
list(FILTER python_entries EXCLUDE REGEX "__pycache__$")
foreach(entry IN LISTS python_entries ITEMS "${PROJECT_SOURCE_DIR}/include")
  torchtrt_link("${entry}" "${TORCHTRT_PACKAGE_DIR}")
endforeach()
foreach(file IN LISTS package_files)
  torchtrt_link("${file}" "${TORCHTRT_PACKAGE_DIR}/share/cmake/torchtrt")
endforeach()

# What an installation's metadata would tell: torch.compile finds its backends by entry points.
file(STRINGS "${PROJECT_SOURCE_DIR}/pyproject.toml" entry_points REGEX "torch_dynamo_backends|_backend:")
list(TRANSFORM entry_points REPLACE "\\[project.entry-points.(.*)\\]" "[\\1]")
list(TRANSFORM entry_points REPLACE "\"" "")
list(JOIN entry_points "\n" entry_points)
set(metadata_dir "${PROJECT_BINARY_DIR}/package/torch_tensorrt-${PROJECT_VERSION}.dist-info")
file(WRITE "${metadata_dir}/entry_points.txt" "${entry_points}\n")
file(WRITE "${metadata_dir}/METADATA" "Metadata-Version: 2.1\nName: torch-tensorrt\nVersion: ${PROJECT_VERSION}\n")
