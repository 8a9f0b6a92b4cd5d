#include "runtime/openmp.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/zeros.h>
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <exception>
#include <future>
#include <mutex>
#include <thread>

#include "core/log.h"

namespace torch_tensorrt::runtime {
namespace {

using SetThreads = void (*)(int);

/// Elements that PyTorch gives to one thread at least.
constexpr std::int64_t kGrain = 32768;

/// libgomp spins long while its threads are no more than the cores and hardly at all beyond
/// (GOMP_SPINCOUNT in its manual: "when the number of managed threads is greater than the number of
/// available CPUs"). It has no call that says so after its start. So one thread with a team of its
/// own, one larger than the cores, stays for good: asleep, it costs its threads' stacks.
void make_large_team(SetThreads set_threads) {
  const int count = static_cast<int>(std::thread::hardware_concurrency()) + 1;
  // PyTorch sets a thread's count at its first op of several threads, and would undo ours.
  at::zeros({2 * kGrain}).add_(1);
  set_threads(count);
  at::zeros({2 * kGrain * count}).add_(1);
}

/// A signal is for the threads that the program knows: none for a thread that is made meanwhile.
class WithoutSignals {
 public:
  WithoutSignals() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~WithoutSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  WithoutSignals(const WithoutSignals&) = delete;
  WithoutSignals& operator=(const WithoutSignals&) = delete;

 private:
  sigset_t before_;
};

/// Returns when the team is there: a thread that still computes when the process ends would meet a
/// PyTorch that is gone.
void keep_large_team(SetThreads set_threads) {
  std::packaged_task<void()> make([set_threads] { make_large_team(set_threads); });
  std::future<void> made = make.get_future();
  {
    const WithoutSignals masked;
    std::thread([make = std::move(make)]() mutable {
      make();
      while (true) pause();
    }).detach();
  }
  made.get();
}

}  // namespace

void calm_openmp() {
  static std::once_flag once;
  std::call_once(once, [] {
    if (std::getenv("GOMP_SPINCOUNT") || std::getenv("OMP_WAIT_POLICY")) return;
    void* gomp = dlopen("libgomp.so.1", RTLD_LAZY | RTLD_NOLOAD);
    if (!gomp) return;
    const auto set_threads = reinterpret_cast<SetThreads>(dlsym(gomp, "omp_set_num_threads"));
    if (!set_threads) return;
    try {
      keep_large_team(set_threads);
      core::log_debug("[runtime] PyTorch's OpenMP threads sleep between its ops from now on");
    } catch (const std::exception& error) {
      core::log_debug("[runtime] PyTorch's OpenMP threads spin between its ops: ", error.what());
    }
  });
}

}  // namespace torch_tensorrt::runtime
