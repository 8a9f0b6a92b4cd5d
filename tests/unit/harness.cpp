#include <cstdio>

#include "harness.h"

namespace harness {

std::vector<Test>& tests() {
  static std::vector<Test> all;
  return all;
}

void fail(const char* file, int line, const std::string& what) {
  std::ostringstream out;
  out << file << ':' << line << ": " << what;
  throw Failure(std::move(out).str());
}

namespace {

enum class Outcome { passed, failed, skipped };

Outcome run(const Test& test) {
  try {
    test.body();
    return Outcome::passed;
  } catch (const Skipped& reason) {
    std::printf("SKIPPED %s: %s\n", test.name.c_str(), reason.what());
    return Outcome::skipped;
  } catch (const Failure& failure) {
    std::printf("FAILED %s\n  %s\n", test.name.c_str(), failure.what());
  } catch (const std::exception& error) {
    std::printf("FAILED %s\n  threw %s\n", test.name.c_str(), error.what());
  }
  return Outcome::failed;
}

/// No parts: every test; else tests whose name contains one of the parts.
bool selected(const Test& test, const std::vector<std::string>& parts) {
  for (const std::string& part : parts) {
    if (test.name.find(part) != std::string::npos) return true;
  }
  return parts.empty();
}

}  // namespace

bool& long_run() {
  static bool value = false;
  return value;
}

int run_tests(std::vector<std::string> parts) {
  long_run() = std::erase(parts, "--long") > 0;
  std::setvbuf(stdout, nullptr, _IOLBF, 0);  // so that a test that hangs leaves the others' lines
  int counts[3] = {0, 0, 0};
  for (const Test& test : tests()) {
    if (selected(test, parts)) ++counts[static_cast<int>(run(test))];
  }
  std::printf("%d passed, %d failed, %d skipped\n", counts[0], counts[1], counts[2]);
  return counts[1] == 0 && counts[0] + counts[2] > 0 ? 0 : 1;
}

}  // namespace harness
