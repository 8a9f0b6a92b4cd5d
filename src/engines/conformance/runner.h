#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/engine.h"
#include "engines/conformance/known.h"
#include "engines/conformance/row.h"

namespace torch_tensorrt::engines::conformance {

struct Options {
  std::string engine;  ///< empty: every plugin found
  std::string filter;  ///< part of the test's name; empty: all
  core::EngineDevice device;
  bool list = false;
  std::string dump;  ///< folder for the networks; empty: run them
};

/// Counts results and prints what went wrong, a line each.
class Tally {
 public:
  void passed() { ++passed_; }
  void failed(const std::string& test, std::string what);
  void skipped(const std::string& reason) { ++skipped_[reason]; }
  /// The skips by reason, then "conformance: N passed, M failed, K skipped".
  void print_summary() const;
  int exit_code() const { return failed_ > 0 ? 1 : 0; }

 private:
  int passed_ = 0, failed_ = 0;
  std::map<std::string, int> skipped_;
};

/// Runs the rows on one engine.
class Runner {
 public:
  /// `oracle` is the engine whose results are the expected ones; null: the rows' own expectations
  /// are.
  Runner(const core::EnginePlugin& engine, const core::EnginePlugin* oracle, Options options,
         Tally& tally);

  /// What holds of every plugin, whatever layers it takes.
  void run_contract();
  /// Every dtype of the row, static and dynamic.
  void run(const Row& row);
  /// Reports entries of the engine's table that no test fits. Only after all rows.
  void report_stale_entries();

 private:
  void run_trial(const Row& row, const std::string& test, DType dtype, bool dynamic);
  /// Runs `body`, which says what is wrong or throws, and counts the result.
  void check(const std::string& test, const std::function<std::string()>& body);
  void count(const std::string& test, const std::string& what);
  void fail(const std::string& test, const std::string& what);
  const Known* find(std::span<const Known> list, const std::string& test);

  const core::EnginePlugin& engine_;
  const core::EnginePlugin* oracle_;
  Options options_;
  KnownTable known_;
  std::set<std::string_view> used_;  ///< patterns that a test fitted
  Tally& tally_;
};

/// Of all rows, each dtype, static and dynamic, whose name has `filter` in it.
std::size_t count_trials(const Rows& rows, const std::string& filter);

/// Writes the network of every row, dtype, static and dynamic, as an artifact into the folder.
void dump_networks(const Rows& rows, const Options& options, const std::filesystem::path& folder);

/// The kinds of layers that no row is named after.
std::vector<std::string> kinds_without_rows(const Rows& rows);

}  // namespace torch_tensorrt::engines::conformance
