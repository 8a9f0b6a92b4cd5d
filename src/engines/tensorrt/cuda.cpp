#include "engines/tensorrt/cuda.h"

#include <dlfcn.h>

#include <cstdint>
#include <map>
#include <mutex>

#include "core/error.h"
#include "core/text.h"

namespace torch_tensorrt::engines::tensorrt {

namespace {

// Numbers of CUDA's driver API (cuda.h), which do not change between its versions.
using Result = int;
constexpr Result kSuccess = 0, kOutOfMemory = 2;
constexpr int kCapabilityMajor = 75, kCapabilityMinor = 76;
constexpr unsigned kNonBlockingStream = 1, kEventWithoutTiming = 2;
constexpr int kCaptureOfThisThread = 1, kNotCapturing = 0;

struct Functions {
  Result (*init)(unsigned);
  Result (*error_string)(Result, const char**);
  Result (*device_count)(int*);
  Result (*device_attribute)(int*, int, int);
  Result (*primary_context_retain)(void**, int);
  Result (*context_push)(void*);
  Result (*context_pop)(void**);
  Result (*memory_allocate)(std::uintptr_t*, std::size_t);
  Result (*memory_free)(std::uintptr_t);
  Result (*memory_copy)(std::uintptr_t, std::uintptr_t, std::size_t, void*);
  Result (*stream_create)(void**, unsigned);
  Result (*stream_destroy)(void*);
  Result (*stream_synchronize)(void*);
  Result (*stream_wait)(void*, void*, unsigned);
  Result (*stream_is_capturing)(void*, int*);
  Result (*capture_begin)(void*, int);
  Result (*capture_end)(void*, void**);
  Result (*event_create)(void**, unsigned);
  Result (*event_destroy)(void*);
  Result (*event_record)(void*, void*);
  Result (*graph_instantiate)(void**, void*, unsigned long long);
  Result (*graph_destroy)(void*);
  Result (*graph_exec_destroy)(void*);
  Result (*graph_launch)(void*, void*);
};

std::uintptr_t address(const void* memory) { return reinterpret_cast<std::uintptr_t>(memory); }

class Driver final : public Cuda {
 public:
  /// Throws core::Error(unavailable).
  Driver() {
    void* library = ::dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
    if (!library) throw core::unavailable("no NVIDIA driver: ", ::dlerror());
    const auto find = [&]<typename Function>(Function& function, const char* name) {
      function = reinterpret_cast<Function>(::dlsym(library, name));
      if (!function) throw core::unavailable("the NVIDIA driver is too old: it has no ", name);
    };
    find(f_.init, "cuInit");
    find(f_.error_string, "cuGetErrorString");
    find(f_.device_count, "cuDeviceGetCount");
    find(f_.device_attribute, "cuDeviceGetAttribute");
    find(f_.primary_context_retain, "cuDevicePrimaryCtxRetain");
    find(f_.context_push, "cuCtxPushCurrent_v2");
    find(f_.context_pop, "cuCtxPopCurrent_v2");
    find(f_.memory_allocate, "cuMemAlloc_v2");
    find(f_.memory_free, "cuMemFree_v2");
    find(f_.memory_copy, "cuMemcpyAsync");
    find(f_.stream_create, "cuStreamCreate");
    find(f_.stream_destroy, "cuStreamDestroy_v2");
    find(f_.stream_synchronize, "cuStreamSynchronize");
    find(f_.stream_wait, "cuStreamWaitEvent");
    find(f_.stream_is_capturing, "cuStreamIsCapturing");
    find(f_.capture_begin, "cuStreamBeginCapture_v2");
    find(f_.capture_end, "cuStreamEndCapture");
    find(f_.event_create, "cuEventCreate");
    find(f_.event_destroy, "cuEventDestroy_v2");
    find(f_.event_record, "cuEventRecord");
    find(f_.graph_instantiate, "cuGraphInstantiateWithFlags");
    find(f_.graph_destroy, "cuGraphDestroy");
    find(f_.graph_exec_destroy, "cuGraphExecDestroy");
    find(f_.graph_launch, "cuGraphLaunch");
    check(f_.init(0), "cuInit");
    check(f_.device_count(&count_), "cuDeviceGetCount");
    if (count_ == 0) throw core::unavailable("the NVIDIA driver sees no GPU");
  }

  int device_count() const override { return count_; }

  std::string architecture(int device) const override {
    int major = 0, minor = 0;
    check(f_.device_attribute(&major, kCapabilityMajor, device), "cuDeviceGetAttribute");
    check(f_.device_attribute(&minor, kCapabilityMinor, device), "cuDeviceGetAttribute");
    return core::text("sm_", major, minor);
  }

  std::shared_ptr<void> use(int device) const override {
    check(f_.context_push(context(device)), "cuCtxPushCurrent");
    return {nullptr, [this](void*) {
              void* popped = nullptr;
              f_.context_pop(&popped);
            }};
  }

  void* allocate(std::size_t bytes) const override {
    std::uintptr_t memory = 0;
    const Result result = f_.memory_allocate(&memory, bytes);
    if (result == kOutOfMemory) return nullptr;
    check(result, "cuMemAlloc");
    return reinterpret_cast<void*>(memory);
  }
  // Freeing at the process's end finds the driver gone; nothing can be done about an error then.
  void free(void* memory) const noexcept override { f_.memory_free(address(memory)); }
  void copy(void* to, const void* from, std::size_t bytes, void* stream) const override {
    if (bytes > 0)
      check(f_.memory_copy(address(to), address(from), bytes, stream), "cuMemcpyAsync");
  }

  void* create_stream() const override {
    void* stream = nullptr;
    check(f_.stream_create(&stream, kNonBlockingStream), "cuStreamCreate");
    return stream;
  }
  void destroy_stream(void* stream) const noexcept override { f_.stream_destroy(stream); }
  void synchronize(void* stream) const override {
    check(f_.stream_synchronize(stream), "cuStreamSynchronize");
  }
  void* create_event() const override {
    void* event = nullptr;
    check(f_.event_create(&event, kEventWithoutTiming), "cuEventCreate");
    return event;
  }
  void destroy_event(void* event) const noexcept override { f_.event_destroy(event); }
  void record(void* event, void* stream) const override {
    check(f_.event_record(event, stream), "cuEventRecord");
  }
  void wait(void* stream, void* event) const override {
    check(f_.stream_wait(stream, event, 0), "cuStreamWaitEvent");
  }

  bool is_capturing(void* stream) const override {
    int status = kNotCapturing;
    // The default stream cannot be asked while another one is captured.
    return f_.stream_is_capturing(stream, &status) == kSuccess && status != kNotCapturing;
  }
  void begin_capture(void* stream) const override {
    check(f_.capture_begin(stream, kCaptureOfThisThread), "cuStreamBeginCapture");
  }
  void* end_capture(void* stream) const override {
    void* graph = nullptr;
    if (f_.capture_end(stream, &graph) != kSuccess || graph == nullptr) return nullptr;
    void* instance = nullptr;
    const Result result = f_.graph_instantiate(&instance, graph, 0);
    f_.graph_destroy(graph);
    return result == kSuccess ? instance : nullptr;
  }
  void launch(void* graph, void* stream) const override {
    check(f_.graph_launch(graph, stream), "cuGraphLaunch");
  }
  void destroy_graph(void* graph) const noexcept override { f_.graph_exec_destroy(graph); }

 private:
  void check(Result result, const char* function) const {
    if (result == kSuccess) return;
    const char* words = nullptr;
    f_.error_string(result, &words);
    throw core::unavailable("[engine] CUDA: ", function, ": ",
                            words ? words : core::text("error ", result));
  }

  /// The context that PyTorch and TensorRT use too; kept for the process's life.
  void* context(int device) const {
    const std::lock_guard lock(mutex_);
    void*& context = contexts_[device];
    if (!context) check(f_.primary_context_retain(&context, device), "cuDevicePrimaryCtxRetain");
    return context;
  }

  Functions f_{};
  int count_ = 0;
  mutable std::mutex mutex_;
  mutable std::map<int, void*> contexts_;
};

}  // namespace

const Cuda* Cuda::driver(std::string* reason) {
  static std::string why;
  // Never destroyed: engines may outlive it otherwise.
  static const Cuda* cuda = []() -> const Cuda* {
    try {
      return new Driver;
    } catch (const core::Error& error) {
      why = error.what();
      return nullptr;
    }
  }();
  if (reason) *reason = why;
  return cuda;
}

}  // namespace torch_tensorrt::engines::tensorrt
