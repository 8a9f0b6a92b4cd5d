#include "engines/conformance/crash_note.h"

#include <unistd.h>

#include <array>
#include <csignal>
#include <cstring>

namespace torch_tensorrt::engines::conformance {
namespace {

// A signal handler may touch plain memory and write(2) only.
std::array<char, 256> current_test;

void write_text(const char* text) {
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, text, std::strlen(text));
}

extern "C" void report_crash(int signal) {
  write_text("conformance: crashed in ");
  write_text(current_test.data());
  write_text("\n");
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

}  // namespace

void install_crash_note() {
  for (const int signal : {SIGSEGV, SIGABRT, SIGFPE, SIGBUS, SIGILL}) {
    std::signal(signal, report_crash);
  }
}

void note_current_test(const std::string& name) {
  current_test.fill('\0');
  name.copy(current_test.data(), current_test.size() - 1);
}

}  // namespace torch_tensorrt::engines::conformance
