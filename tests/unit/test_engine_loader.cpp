#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "core/engine.h"
#include "core/error.h"
#include "core/log.h"
#include "harness.h"

namespace {

using namespace torch_tensorrt::core;
namespace fs = std::filesystem;

/// A folder on the search path with one file that is no library.
struct EngineFolder {
  fs::path folder = fs::temp_directory_path() / "torchtrt_loader_test";
  EngineFolder() {
    fs::create_directories(folder);
    std::ofstream(folder / "libtorchtrt_engine_broken_one.so") << "not a library";
    std::ofstream(folder / "libtorchtrt_engine_Bad-Name.so") << "";
    setenv("TORCHTRT_ENGINE_PATH", (":/nowhere:" + folder.string()).c_str(), 1);
  }
  ~EngineFolder() {
    unsetenv("TORCHTRT_ENGINE_PATH");
    fs::remove_all(folder);
  }
};

TEST(engine_loader_refuses_names_that_are_paths) {
  CHECK_THROWS(engine_plugin("../evil"), "'../evil' is not an engine name");
  CHECK_THROWS(engine_plugin(""), "is not an engine name");
}

TEST(engine_loader_names_the_folders_it_searched) {
  const EngineFolder engines;
  CHECK_THROWS(engine_plugin("missing_one"),
               "libtorchtrt_engine_missing_one.so was not found in /nowhere, ");
  CHECK_THROWS(engine_plugin("missing_one"), "add its folder to TORCHTRT_ENGINE_PATH");
  std::string reason;
  CHECK(find_engine_plugin("missing_one", &reason) == nullptr);
  CHECK(!reason.empty());
}

TEST(engine_loader_passes_the_reason_of_a_broken_library_on) {
  const EngineFolder engines;
  const std::vector<std::string> names = engine_plugin_names();
  CHECK(std::find(names.begin(), names.end(), "broken_one") != names.end());
  CHECK(std::find(names.begin(), names.end(), "Bad-Name") == names.end());
  CHECK_THROWS(engine_plugin("broken_one"),
               "cannot load " + (engines.folder / "libtorchtrt_engine_broken_one.so").string());
}

TEST(log_levels_and_prefix) {
  const LogLevel before = reportable_log_level();
  set_reportable_log_level(LogLevel::error);
  CHECK(log_enabled(LogLevel::internal_error));
  CHECK(!log_enabled(LogLevel::warning));
  set_reportable_log_level(before);
  CHECK_EQ(logging_prefix(), "[Torch-TensorRT] - ");
}

}  // namespace
