#include <cstring>

#include "container/golden.h"
#include "unit/harness.h"

/// Usage: torchtrt_container_tests [--long] [part of a test's name]...
///        torchtrt_container_tests --write-goldens|--write-seeds FOLDER
int main(int argc, char** argv) {
  if (argc == 3 && std::strcmp(argv[1], "--write-goldens") == 0) {
    container::write_goldens(argv[2]);
    return 0;
  }
  if (argc == 3 && std::strcmp(argv[1], "--write-seeds") == 0) {
    container::write_seeds(argv[2]);
    return 0;
  }
  return harness::run_tests({argv + 1, argv + argc});
}
