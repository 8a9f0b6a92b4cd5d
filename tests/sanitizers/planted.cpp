// Bugs that a sanitizer must report, in a library that is built and loaded as the project's own.
#include <memory>
#include <thread>
#include <vector>

extern "C" {

int planted_overflow(int size) {
  const std::vector<int> values(static_cast<std::size_t>(size));
  const volatile int* first = values.data();
  return first[size];
}

int planted_use_after_free(int value) {
  auto owner = std::make_unique<int>(value);
  const int* volatile gone = owner.get();
  owner.reset();
  return *gone;
}

int planted_undefined(int largest) { return largest + 1; }

int planted_race(int turns) {
  volatile int count = 0;
  const auto work = [&] {
    for (int turn = 0; turn < turns; ++turn) count = count + 1;
  };
  std::thread other(work);
  work();
  other.join();
  return count;
}

}  // extern "C"
