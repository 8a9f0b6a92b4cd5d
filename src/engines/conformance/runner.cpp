#include "engines/conformance/runner.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <iostream>
#include <mutex>
#include <thread>
#include <variant>

#include "core/error.h"
#include "engines/conformance/compare.h"
#include "engines/conformance/crash_note.h"
#include "engines/conformance/execute.h"

namespace torch_tensorrt::engines::conformance {
namespace {

constexpr std::size_t kThreads = 4;
constexpr std::size_t kCallsPerThread = 6;

// Two threads per inference, so that the suite's own four threads overlap on small machines too.
core::BuildOptions build_options(core::EngineDevice device) {
  core::BuildOptions options;
  options.device = device;
  options.num_threads = 2;
  options.allow_tf32 = false;
  return options;
}

// The engine's answer for the whole network: its first refusal, or yes.
core::Support supports(const core::EnginePlugin& engine, const core::Network& network) {
  for (const core::Node& node : network.nodes()) {
    core::Support support = engine.supports(network, node);
    if (!support.yes) return support;
  }
  return {};
}

// The inputs of every variant and what they must give, by the oracle where it takes the network; no
// results where the row judges them itself.
struct Expectation {
  std::vector<Tensors> inputs, results;
};

Expectation expectation(const Trial& trial, const core::EnginePlugin* oracle) {
  Expectation e;
  std::unique_ptr<core::Executable> executable;
  if (oracle && supports(*oracle, trial.network()).yes)
    executable = make_executable(*oracle, trial.network(), build_options({}));
  for (std::size_t variant = 0; variant < trial.variants(); ++variant) {
    e.inputs.push_back(trial.inputs(variant));
    if (trial.accepted || !trial.error.empty()) {
      e.results.emplace_back();
    } else if (executable) {
      const auto context = executable->create_context();
      e.results.push_back(execute(*context, trial.network(), e.inputs.back(), {}));
    } else {
      e.results.push_back(trial.expected(e.inputs.back()));
    }
  }
  return e;
}

std::string judge(const Trial& trial, const Tensors& got, const Tensors& expected,
                  Tolerance tolerance) {
  if (trial.accepted) return trial.accepted(got);
  if (got.size() != expected.size()) {
    return core::text(got.size(), " results, expected ", expected.size());
  }
  for (std::size_t i = 0; i < got.size(); ++i) {
    const std::string what = difference(got[i], expected[i].contiguous(), tolerance);
    if (!what.empty()) return core::text("output ", i, ": ", what);
  }
  return "";
}

// One run and what is wrong with it.
std::string run_once(core::Context& context, const Trial& trial, const Tensors& inputs,
                     const Tensors& expected, Tolerance tolerance, core::EngineDevice device) {
  if (trial.error.empty()) {
    return judge(trial, execute(context, trial.network(), inputs, device), expected, tolerance);
  }
  try {
    execute(context, trial.network(), inputs, device);
  } catch (const core::Error& error) {
    const bool said = std::string_view(error.what()).find(trial.error) != std::string_view::npos;
    return said ? "" : core::text("failed with '", error.what(), "', expected '", trial.error, "'");
  }
  return core::text("ran, expected an error that says '", trial.error, "'");
}

// Variants `first`, first + 1, ... in turn on one context.
std::string run_variants(const core::Executable& executable, const Trial& trial,
                         const Expectation& e, Tolerance tolerance, core::EngineDevice device,
                         std::size_t first, std::size_t calls) {
  const auto context = executable.create_context();
  for (std::size_t call = first; call < first + calls; ++call) {
    const std::size_t variant = call % trial.variants();
    const std::string what =
        run_once(*context, trial, e.inputs[variant], e.results[variant], tolerance, device);
    if (!what.empty()) return core::text("shapes ", variant, " of ", trial.variants(), ", ", what);
  }
  return "";
}

// All threads at once on one executable, each in another order of shapes.
std::string run_threads(const core::Executable& executable, const Trial& trial,
                        const Expectation& e, Tolerance tolerance, core::EngineDevice device) {
  std::mutex mutex;
  std::string first_problem;
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      std::string what;
      try {
        what = run_variants(executable, trial, e, tolerance, device, i, kCallsPerThread);
      } catch (const std::exception& error) {
        what = error.what();
      }
      const std::lock_guard lock(mutex);
      if (first_problem.empty() && !what.empty())
        first_problem = core::text("thread ", i, ", ", what);
    });
  }
  for (std::thread& thread : threads) thread.join();
  return first_problem;
}

std::string test_name(const Row& row, DType dtype, bool dynamic) {
  return core::text(row.name, '/', core::name(dtype), dynamic ? "/dynamic" : "/static");
}

void for_each_trial(const Row& row, const std::string& filter,
                    const std::function<void(const std::string&, DType, bool)>& visit) {
  for (const DType dtype : row.dtypes) {
    for (const bool dynamic : {false, true}) {
      const std::string test = test_name(row, dtype, dynamic);
      if (test.find(filter) != std::string::npos) visit(test, dtype, dynamic);
    }
  }
}

// The same data in every run of the suite.
std::uint64_t seed_of(const std::string& test) { return std::hash<std::string>{}(test); }

}  // namespace

void Tally::failed(const std::string& test, std::string what) {
  ++failed_;
  std::ranges::replace(what, '\n', ' ');
  std::cout << "FAIL " << test << ": " << what << std::endl;
}

void Tally::print_summary() const {
  int skipped = 0;
  for (const auto& [reason, count] : skipped_) {
    std::cout << "skipped " << count << ": " << reason << '\n';
    skipped += count;
  }
  std::cout << "conformance: " << passed_ << " passed, " << failed_ << " failed, " << skipped
            << " skipped" << std::endl;
}

Runner::Runner(const core::EnginePlugin& engine, const core::EnginePlugin* oracle, Options options,
               Tally& tally)
    : engine_(engine),
      oracle_(oracle),
      options_(std::move(options)),
      known_(known_table(engine.name())),
      tally_(tally) {}

void Runner::run(const Row& row) {
  for_each_trial(row, options_.filter, [&](const std::string& test, DType dtype, bool dynamic) {
    run_trial(row, test, dtype, dynamic);
  });
}

std::size_t count_trials(const Rows& rows, const std::string& filter) {
  std::size_t count = 0;
  for (const Row& row : rows)
    for_each_trial(row, filter, [&](const std::string&, DType, bool) { ++count; });
  return count;
}

void dump_networks(const Rows& rows, const Options& options, const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  for (const Row& row : rows) {
    for_each_trial(row, options.filter, [&](std::string test, DType dtype, bool dynamic) {
      Trial trial(dtype, dynamic, seed_of(test), /*tells_ranges=*/true);
      row.define(trial);
      const std::vector<std::byte> bytes = artifact_of("reference", trial.network()).to_bytes();
      std::ranges::replace(test, '/', '.');
      std::ofstream file(folder / test, std::ios::binary);
      file.write(reinterpret_cast<const char*>(bytes.data()),
                 static_cast<std::streamsize>(bytes.size()));
    });
  }
}

void Runner::run_contract() {
  const core::EngineDevice device = options_.device;
  check("contract/names", [&]() -> std::string {
    if (engine_.version().empty()) return "version() is empty";
    return engine_.device_key(device).empty() ? "device_key() is empty" : "";
  });
  check("contract/nothing_to_load", [&]() -> std::string {
    const core::Plan empty{
        std::string(engine_.name()), engine_.version(), engine_.device_key(device), {}};
    try {
      engine_.load(empty, /*network=*/nullptr, build_options(device));
    } catch (const core::Error&) {
      return "";
    }
    return "an empty plan without a network was loaded";
  });
}

void Runner::run_trial(const Row& row, const std::string& test, DType dtype, bool dynamic) {
  const core::EngineDevice device = options_.device;
  const core::BuildOptions build = build_options(device);
  note_current_test(core::text(engine_.name(), ": ", test));
  if (options_.list) {
    std::cout << test << '\n';
    return;
  }

  Trial trial(dtype, dynamic, seed_of(test));
  Expectation expected;
  core::Support support;
  try {
    row.define(trial);
    trial.network().verify();
    support = supports(engine_, trial.network());
    if (support.yes) expected = expectation(trial, oracle_);
  } catch (const std::exception& error) {
    return fail(test, core::text("could not be set up: ", error.what()));
  }

  const Known* unsupported = find(known_.unsupported, test);
  if (!support.yes && !unsupported) {
    return fail(test, core::text("refused, and not listed as unsupported: ", support.reason));
  }
  if (!support.yes) return tally_.skipped(core::text(engine_.name(), ": ", unsupported->reason));
  if (unsupported) {
    return fail(test, core::text("listed as unsupported (", unsupported->pattern,
                                 "), but the engine takes it: delete the entry"));
  }

  std::unique_ptr<core::Executable> executable;
  check(test, [&] {
    executable = make_executable(engine_, trial.network(), build);
    return run_variants(*executable, trial, expected, row.tolerance, device, 0, trial.variants());
  });
  if (dtype != row.dtypes.front() || !executable) return;
  check(test + "/reload", [&] {
    const auto reloaded = reloaded_executable(engine_, trial.network(), build);
    return run_variants(*reloaded, trial, expected, row.tolerance, device, 0, trial.variants());
  });
  if (!dynamic) return;
  check(test + "/threads",
        [&] { return run_threads(*executable, trial, expected, row.tolerance, device); });
}

void Runner::check(const std::string& test, const std::function<std::string()>& body) {
  std::string what;
  try {
    what = body();
  } catch (const std::exception& error) {
    what = core::text("threw: ", error.what());
  }
  count(test, what);
}

void Runner::count(const std::string& test, const std::string& what) {
  const Known* expected = find(known_.expected_failures, test);
  if (what.empty() && expected) {
    fail(test, core::text("passed, but is listed as an expected failure (", expected->pattern,
                          "): delete the entry"));
  } else if (what.empty()) {
    tally_.passed();
  } else if (expected) {
    tally_.skipped(core::text(engine_.name(), ", expected failure: ", expected->reason));
  } else {
    fail(test, what);
  }
}

void Runner::fail(const std::string& test, const std::string& what) {
  tally_.failed(core::text(engine_.name(), ": ", test), what);
}

const Known* Runner::find(std::span<const Known> list, const std::string& test) {
  const auto entry =
      std::ranges::find_if(list, [&](const Known& known) { return fits(test, known.pattern); });
  if (entry == list.end()) return nullptr;
  used_.insert(entry->pattern);
  return &*entry;
}

void Runner::report_stale_entries() {
  for (const auto& list : {known_.unsupported, known_.expected_failures}) {
    for (const Known& known : list) {
      if (used_.contains(known.pattern)) continue;
      fail(std::string(known.pattern), "this entry of the known list fits no test: delete it");
    }
  }
}

std::vector<std::string> kinds_without_rows(const Rows& rows) {
  std::vector<std::string> missing;
  const auto look = [&](std::string_view kind) {
    const std::string prefix = core::text(kind, '/');
    const bool found =
        std::ranges::any_of(rows, [&](const Row& row) { return row.name.starts_with(prefix); });
    if (!found) missing.emplace_back(kind);
  };
  [&]<typename... Kinds>(std::variant<Kinds...>*) {
    (look(Kinds::kind), ...);
  }(static_cast<core::Layer*>(nullptr));
  return missing;
}

}  // namespace torch_tensorrt::engines::conformance
