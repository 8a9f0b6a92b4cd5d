#pragma once

// How much memory the calling thread's program takes from the heap: every operator new of the test
// program is counted.

#include <cstddef>

namespace container {

/// The most heap memory in use since it was made, beyond what was in use then.
class MemoryPeak {
 public:
  MemoryPeak();
  std::size_t bytes() const;

 private:
  std::size_t before_;
};

}  // namespace container
