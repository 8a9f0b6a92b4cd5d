// torchtrt_conformance: every engine plugin against every layer kind.

#include <ATen/ATen.h>

#include <exception>
#include <iostream>
#include <span>
#include <string>

#include "core/error.h"
#include "engines/conformance/crash_note.h"
#include "engines/conformance/runner.h"

namespace {

using namespace torch_tensorrt;
using namespace torch_tensorrt::engines::conformance;

constexpr std::string_view kOracle = "reference";
constexpr std::string_view kUsage =
    "torchtrt_conformance [--engine NAME] [--filter SUBSTRING] [--device cpu|cuda] [--list]\n"
    "                     [--dump FOLDER]\n"
    "  Runs every layer kind on every engine plugin found (or the named one): dtypes, static and\n"
    "  dynamic shapes, reloading from an artifact, threads. Other engines must agree with the\n"
    "  reference engine, and that one with plain ATen calls. --dump only writes the networks.\n";

Options parse(std::span<char*> arguments) {
  Options options;
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    const std::string_view argument = arguments[i];
    const auto value = [&]() -> std::string {
      if (i + 1 == arguments.size()) {
        throw core::invalid_argument(argument, " needs a value\n", kUsage);
      }
      return arguments[++i];
    };
    if (argument == "--engine") {
      options.engine = value();
    } else if (argument == "--filter") {
      options.filter = value();
    } else if (argument == "--dump") {
      options.dump = value();
    } else if (argument == "--list") {
      options.list = true;
    } else if (argument == "--device") {
      const std::string device = value();
      if (device != "cpu" && device != "cuda") {
        throw core::invalid_argument("--device is '", device, "', expected cpu or cuda");
      }
      options.device.kind = device == "cuda" ? core::DeviceKind::cuda : core::DeviceKind::cpu;
    } else {
      throw core::invalid_argument("unknown argument '", argument, "'\n", kUsage);
    }
  }
  return options;
}

// Why the engine cannot run here, or nothing.
std::string reason_to_skip(const core::EnginePlugin& engine, const Options& options) {
  const core::Availability available = engine.available();
  if (!available.yes) return available.reason;
  if (!engine.runs_on(options.device.kind)) {
    return options.device.kind == core::DeviceKind::cuda
               ? "does not run on CUDA here (no such device, or an engine for the CPU)"
               : "does not run on the CPU";
  }
  return "";
}

// On the GPU the reference engine is held against itself on the CPU.
const core::EnginePlugin* oracle_for(const core::EnginePlugin& engine, const Options& options) {
  const bool itself = engine.name() == kOracle && options.device.kind == core::DeviceKind::cpu;
  return itself ? nullptr : &core::engine_plugin(kOracle);
}

void run_engine(const std::string& name, const Rows& rows, const Options& options, Tally& tally) {
  std::string reason;
  const core::EnginePlugin* engine = core::find_engine_plugin(name, &reason);
  if (!engine) return tally.failed(name, core::text("the plugin does not load: ", reason));
  if (engine->name() != name) {
    return tally.failed(name, core::text("the plugin calls itself '", engine->name(), "'"));
  }
  reason = reason_to_skip(*engine, options);
  if (!reason.empty()) {
    const std::size_t count = count_trials(rows, options.filter);
    return tally.skipped(core::text(name, ": ", reason, "; ", count, " rows not run"));
  }

  Runner runner(*engine, oracle_for(*engine, options), options, tally);
  if (options.filter.empty() && !options.list) runner.run_contract();
  for (const Row& row : rows) runner.run(row);
  if (options.filter.empty() && !options.list) runner.report_stale_entries();
}

int run(const Options& options) {
  install_crash_note();
  // Results are compared across devices, so f32 stays f32.
  at::globalContext().setAllowTF32CuDNN(false);
  at::globalContext().setAllowTF32CuBLAS(false);

  Tally tally;
  const Rows rows = all_rows();
  for (const std::string& kind : kinds_without_rows(rows)) {
    tally.failed(kind, "this layer kind has no row");
  }
  if (!options.dump.empty()) {
    dump_networks(rows, options, options.dump);
    return tally.exit_code();
  }
  const std::vector<std::string> engines = options.engine.empty()
                                               ? core::engine_plugin_names()
                                               : std::vector<std::string>{options.engine};
  if (engines.empty()) tally.failed("engines", "no engine plugin found");
  for (const std::string& engine : engines) run_engine(engine, rows, options, tally);
  if (!options.list) tally.print_summary();
  return tally.exit_code();
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(parse({argv, static_cast<std::size_t>(argc)}));
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 2;
  }
}
