#pragma once

#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/log.h"
#include "core/settings.h"

namespace torch_tensorrt::cli {

/// A command line that cannot be understood: exit code 2.
struct UsageError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

enum class ReportForm { none, text, json };

struct Arguments {
  std::vector<std::string> positional;  ///< input, output, specs...
  core::Settings settings;
  bool help = false;
  bool version = false;
  core::LogLevel log_level = core::LogLevel::warning;
  std::string check_method;  ///< method of --check-method-support, or empty
  bool save_engine = false;
  bool embed_engine = false;
  ReportForm report = ReportForm::none;
  bool threshold_check = true;
  std::optional<double> atol, rtol;                ///< given ones must be met; absent: the defaults
  std::vector<std::string> torch_ops, converters;  ///< libraries to load
};

/// Throws UsageError naming the flag, what was got and what was expected.
Arguments parse_arguments(const std::vector<std::string>& words);

/// "min_block_size=1 engine=reference": the settings that differ from their defaults.
std::string changed_settings(const core::Settings& settings);

/// What -h prints.
std::string help_text();

}  // namespace torch_tensorrt::cli
