#include "core/log.h"

#include <array>
#include <atomic>
#include <cstdio>
#include <mutex>

namespace torch_tensorrt::core {
namespace {

struct Style {
  std::string_view label;
  std::string_view color;
};

constexpr auto kStyles = std::to_array<Style>({{"INTERNAL_ERROR: ", "\033[1;31m"},
                                               {"ERROR: ", "\033[31m"},
                                               {"WARNING: ", "\033[33m"},
                                               {"INFO: ", "\033[32m"},
                                               {"DEBUG: ", "\033[35m"},
                                               {"GRAPH: ", "\033[36m"}});

struct State {
  std::atomic<LogLevel> level{LogLevel::warning};
  std::atomic<bool> colored{false};
  std::mutex mutex;
  std::string prefix = "[Torch-TensorRT] - ";
};

// Never destroyed: other libraries log from their own static destructors.
State& state() {
  static auto* const instance = new State;
  return *instance;
}

}  // namespace

void log(LogLevel level, std::string_view message) {
  if (!log_enabled(level)) return;
  const Style& style = kStyles.at(static_cast<std::size_t>(level));
  const std::lock_guard lock(state().mutex);
  std::string line;
  if (state().colored) line += style.color;
  line += state().prefix;
  line += style.label;
  if (state().colored) line += "\033[0m";
  line += message;
  line += '\n';
  // One write per message, so that lines of several threads and processes do not mix.
  std::fwrite(line.data(), 1, line.size(), stderr);
}

bool log_enabled(LogLevel level) { return level <= state().level.load(std::memory_order_relaxed); }
LogLevel reportable_log_level() { return state().level; }
void set_reportable_log_level(LogLevel level) { state().level = level; }

std::string logging_prefix() {
  const std::lock_guard lock(state().mutex);
  return state().prefix;
}

void set_logging_prefix(std::string prefix) {
  const std::lock_guard lock(state().mutex);
  state().prefix = std::move(prefix);
}

bool is_colored_output_on() { return state().colored; }
void set_is_colored_output_on(bool on) { state().colored = on; }

}  // namespace torch_tensorrt::core
