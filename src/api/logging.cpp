#include "torch_tensorrt/logging.h"

#include <utility>

#include "core/log.h"

namespace torch_tensorrt::logging {
namespace {

static_assert(static_cast<int>(Level::kINTERNAL_ERROR) ==
              static_cast<int>(core::LogLevel::internal_error));
static_assert(static_cast<int>(Level::kGRAPH) == static_cast<int>(core::LogLevel::graph));

core::LogLevel to_core(Level level) { return static_cast<core::LogLevel>(level); }

}  // namespace

std::string get_logging_prefix() { return core::logging_prefix(); }
void set_logging_prefix(std::string prefix) { core::set_logging_prefix(std::move(prefix)); }

void set_reportable_log_level(Level level) { core::set_reportable_log_level(to_core(level)); }
Level get_reportable_log_level() { return static_cast<Level>(core::reportable_log_level()); }

void set_is_colored_output_on(bool colored) { core::set_is_colored_output_on(colored); }
bool get_is_colored_output_on() { return core::is_colored_output_on(); }

void log(Level level, std::string message) { core::log(to_core(level), message); }

}  // namespace torch_tensorrt::logging
