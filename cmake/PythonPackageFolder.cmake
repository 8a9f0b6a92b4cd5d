# python_package_folder(<out> <name>): the folder of an installed Python package, found without importing it, or "".
# Asks Python_EXECUTABLE, else python3 on the PATH.
function(python_package_folder out name)
  set(python ${Python_EXECUTABLE})
  if(NOT python)
    find_program(_package_folder_python NAMES python3 python NO_CACHE)
    set(python ${_package_folder_python})
  endif()
  set(found "")
  if(python)
    # An isolated wheel build hides the environment that pip installs into; sysconfig still names its folders.
    execute_process(
      COMMAND ${python} -c "
import importlib.machinery, sys, sysconfig
paths = [*sys.path, sysconfig.get_path('purelib'), sysconfig.get_path('platlib')]
spec = importlib.machinery.PathFinder.find_spec('${name}', paths)
print(spec.submodule_search_locations[0] if spec and spec.submodule_search_locations else '')
"
      OUTPUT_VARIABLE found OUTPUT_STRIP_TRAILING_WHITESPACE)
  endif()
  set(${out} "${found}" PARENT_SCOPE)
endfunction()
