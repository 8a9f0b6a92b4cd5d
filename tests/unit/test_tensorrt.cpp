// How TensorRT's plans run: streams, memory and CUDA graphs, on doubles of the GPU and of TensorRT
// that work on the host and write down what is asked of them.

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <utility>

#include "core/error.h"
#include "engines/tensorrt/executable.h"
#include "engines/tensorrt/plan_tag.h"
#include "harness.h"

namespace torch_tensorrt::engines::tensorrt {
namespace {

using Dims = std::vector<std::int64_t>;

/// Runs everything at once; what is put on a stream that is captured runs when it is launched.
class FakeGpu final : public Cuda {
 public:
  mutable std::vector<std::string> calls;
  mutable std::map<void*, std::size_t> memory;
  mutable std::size_t streams = 0, events = 0, graphs = 0;
  mutable bool refuses_capture = false, is_full = false;
  mutable void* captured = nullptr;  ///< the stream that is being captured
  mutable bool caller_captures = false;

  int device_count() const override { return 1; }
  std::string architecture(int) const override { return "sm_90"; }
  std::shared_ptr<void> use(int) const override { return nullptr; }
  void* allocate(std::size_t bytes) const override {
    if (is_full) return nullptr;
    void* data = std::malloc(bytes);
    memory[data] = bytes;
    return data;
  }
  void free(void* data) const noexcept override {
    memory.erase(data);
    std::free(data);
  }
  void copy(void* to, const void* from, std::size_t bytes, void*) const override {
    if (bytes > 0) std::memcpy(to, from, bytes);
  }
  void* create_stream() const override { return made(++streams); }
  void destroy_stream(void*) const noexcept override { --streams; }
  void synchronize(void* stream) const override { note("synchronize", stream); }
  void* create_event() const override { return made(0x100 + ++events); }
  void destroy_event(void*) const noexcept override { --events; }
  void record(void*, void* stream) const override { note("record", stream); }
  void wait(void* stream, void*) const override { note("wait", stream); }
  bool is_capturing(void*) const override { return caller_captures; }
  void begin_capture(void* stream) const override { captured = stream; }
  void* end_capture(void*) const override {
    captured = nullptr;
    if (refuses_capture || !work) return nullptr;
    ++graphs;
    return new std::function<void()>(std::exchange(work, {}));
  }
  void launch(void* graph, void* stream) const override {
    note("launch", stream);
    (*static_cast<std::function<void()>*>(graph))();
  }
  void destroy_graph(void* graph) const noexcept override {
    --graphs;
    delete static_cast<std::function<void()>*>(graph);
  }

  void note(const std::string& what, void* stream) const {
    calls.push_back(what + (stream == nullptr   ? " default"
                            : stream == made(7) ? " caller"
                                                : " own"));
  }
  static void* made(std::size_t number) { return reinterpret_cast<void*>(number); }
  mutable std::function<void()> work;  ///< what was captured
};

void* const kCaller = FakeGpu::made(7);

/// y[i] = 2 x[i]; of the first `size` elements, where that is an input on the host; or of those
/// that are positive.
enum class Kind { twice, on_host, positive };

class FakeEngine final : public core::ForeignEngine {
 public:
  FakeEngine(const FakeGpu& gpu, Kind kind) : gpu_(gpu), kind_(kind) {}

  std::vector<core::ForeignTensor> tensors() const override {
    using core::DType;
    std::vector<core::ForeignTensor> tensors = {{"x", DType::f32, true, false},
                                                {"y", DType::f32, false, false}};
    if (kind_ == Kind::on_host) tensors.insert(tensors.begin(), {"size", DType::i64, true, true});
    return tensors;
  }
  std::unique_ptr<core::ForeignContext> create_context() const override;
  std::int64_t streamable_bytes() const override { return 0; }
  std::int64_t budget() const override { return 0; }
  std::int64_t automatic_budget() const override { return 0; }
  void set_budget(std::int64_t) override {}

 private:
  const FakeGpu& gpu_;
  Kind kind_;
};

class FakeContext final : public core::ForeignContext {
 public:
  FakeContext(const FakeGpu& gpu, Kind kind) : gpu_(gpu), kind_(kind) {}

  void set_input_shape(const std::string& name, std::span<const std::int64_t> dims) override {
    if (name == "x") count_ = dims[0];
    if (count_ > 100) throw core::unsupported("the shape is outside of the profile");
  }
  void set_address(const std::string& name, void* data) override { addresses_[name] = data; }
  Dims shape(const std::string&) override {
    if (kind_ == Kind::positive) return {-1};
    return {kind_ == Kind::on_host ? *static_cast<std::int64_t*>(addresses_.at("size")) : count_};
  }
  void set_allocator(const std::string&, core::ForeignAllocator allocator) override {
    allocator_ = std::move(allocator);
  }
  void enqueue(void* stream) override {
    gpu_.note("enqueue", stream);
    const auto* x = static_cast<const float*>(addresses_.at("x"));
    if (kind_ == Kind::positive) {
      auto* y = static_cast<float*>(
          allocator_.allocate(static_cast<std::size_t>(count_) * sizeof(float)));
      if (!y) throw core::unavailable("out of memory");
      const auto end = std::copy_if(x, x + count_, y, [](float value) { return value > 0; });
      std::for_each(y, end, [](float& value) { value *= 2; });
      allocator_.set_dims(Dims{end - y});
      return;
    }
    auto* y = static_cast<float*>(addresses_.at("y"));
    const auto run = [x, y, count = shape("y")[0]] {
      std::transform(x, x + count, y, [](float value) { return 2 * value; });
    };
    if (gpu_.captured == stream && stream != nullptr)
      gpu_.work = run;
    else
      run();
  }

 private:
  const FakeGpu& gpu_;
  Kind kind_;
  std::int64_t count_ = 0;
  std::map<std::string, void*> addresses_;
  core::ForeignAllocator allocator_;
};

std::unique_ptr<core::ForeignContext> FakeEngine::create_context() const {
  return std::make_unique<FakeContext>(gpu_, kind_);
}

class Sink final : public core::OutputSink {
 public:
  std::vector<float> result;
  int allocations = 0;
  void* allocate(std::size_t, core::DType, std::span<const std::int64_t> dims) override {
    ++allocations;
    result.resize(static_cast<std::size_t>(dims[0]));
    return result.data();
  }
};

struct Run {
  FakeGpu gpu;
  std::unique_ptr<core::Executable> executable;
  std::unique_ptr<core::Context> context;

  explicit Run(Kind kind = Kind::twice)
      : executable(make_executable(std::make_unique<FakeEngine>(gpu, kind), gpu, 0)),
        context(executable->create_context()) {}
  ~Run() {
    context.reset();
    executable.reset();
  }

  std::vector<float> operator()(std::vector<float> x, const core::Launch& launch,
                                std::int64_t size = -1) {
    gpu.calls.clear();
    const Dims dims = {static_cast<std::int64_t>(x.size())}, scalar;
    std::vector<core::Buffer> inputs = {{core::DType::f32, dims, x.data()}};
    if (size >= 0) inputs.insert(inputs.begin(), {core::DType::i64, scalar, &size});
    Sink sink;
    context->run(inputs, sink, launch);
    CHECK_EQ(sink.allocations, 1);
    return sink.result;
  }
};

using Floats = std::vector<float>;
using Calls = std::vector<std::string>;

TEST(tensorrt_runs_on_the_callers_stream) {
  Run run;
  CHECK_EQ(run({1, 2}, {kCaller, false}), Floats{2, 4});
  // The wait is for the context's last call, which may have been on another stream.
  CHECK_EQ(run.gpu.calls, Calls{"wait caller", "enqueue caller", "record caller"});
  CHECK_EQ(run.gpu.memory.size(), 0);
}

TEST(tensorrt_keeps_off_the_default_stream) {
  Run run;
  CHECK_EQ(run({1, 2}, {nullptr, false}), Floats{2, 4});
  CHECK_EQ(run.gpu.calls, Calls{"wait default", "record default", "wait own", "enqueue own",
                                "record own", "wait default", "record default"});
}

TEST(tensorrt_in_a_callers_recording_only_enqueues) {
  Run run;
  run.gpu.caller_captures = true;
  CHECK_EQ(run({1, 2}, {kCaller, true}), Floats{2, 4});
  CHECK_EQ(run.gpu.calls, Calls{"enqueue caller"});
}

TEST(tensorrt_records_a_graph_a_shape) {
  Run run;
  const core::Launch launch{kCaller, true};
  CHECK_EQ(run({1, 2}, launch), Floats{2, 4});
  CHECK_EQ(run.gpu.graphs, 1);
  // Other memory than that of the first call.
  const Floats again = {3, 5};
  CHECK_EQ(run(again, launch), Floats{6, 10});
  CHECK_EQ(run.gpu.calls, Calls{"wait caller", "launch caller", "record caller"});
  CHECK_EQ(run({7}, launch), Floats{14});
  CHECK_EQ(run.gpu.graphs, 2);
  CHECK_EQ(run({-1, 4}, launch), Floats{-2, 8});
  CHECK_EQ(run.gpu.calls, Calls{"wait caller", "launch caller", "record caller"});
  CHECK_EQ(run.gpu.graphs, 2);
  CHECK_EQ(run({1, 2}, {kCaller, false}), Floats{2, 4});
  run.context.reset();
  CHECK_EQ(run.gpu.graphs, 0);
  CHECK_EQ(run.gpu.memory.size(), 0);
  CHECK_EQ(run.gpu.streams + run.gpu.events, 0);
}

TEST(tensorrt_keeps_the_graphs_used_last) {
  Run run;
  const core::Launch launch{kCaller, true};
  for (std::size_t size = 1; size <= kMaxGraphs + 3; ++size) {
    CHECK_EQ(run(Floats(size, 1), launch), Floats(size, 2));
    CHECK_EQ(run({1}, launch), Floats{2});
  }
  CHECK_EQ(run.gpu.graphs, kMaxGraphs);
  run({1}, launch);
  CHECK(std::ranges::count(run.gpu.calls, "launch caller") == 1);
  // Was forgotten, and is recorded again.
  CHECK_EQ(run({1, 1}, launch), Floats{2, 2});
  CHECK(std::ranges::count(run.gpu.calls, "enqueue own") == 2);
}

TEST(tensorrt_graphs_tell_host_inputs_apart) {
  Run run(Kind::on_host);
  const core::Launch launch{kCaller, true};
  CHECK_EQ(run({1, 2, 3}, launch, 2), Floats{2, 4});
  CHECK_EQ(run({1, 2, 3}, launch, 3), Floats{2, 4, 6});
  CHECK_EQ(run({4, 5, 6}, launch, 2), Floats{8, 10});
  CHECK_EQ(run.gpu.graphs, 2);
}

TEST(tensorrt_without_a_graph_where_none_can_be_recorded) {
  Run run;
  run.gpu.refuses_capture = true;
  const core::Launch launch{kCaller, true};
  CHECK_EQ(run({1, 2}, launch), Floats{2, 4});
  CHECK_EQ(run({2, 3}, launch), Floats{4, 6});
  CHECK_EQ(run.gpu.calls, Calls{"wait caller", "enqueue caller", "record caller"});
  CHECK_EQ(run.gpu.memory.size(), 0);
}

TEST(tensorrt_results_whose_size_depends_on_data) {
  Run run(Kind::positive);
  for (const bool cuda_graph : {false, true}) {
    CHECK_EQ(run({1, -2, 3}, {kCaller, cuda_graph}), Floats{2, 6});
    CHECK_EQ(run({-1, -2, -3}, {kCaller, cuda_graph}), Floats{});
    CHECK_EQ(run.gpu.memory.size(), 0);
    CHECK_EQ(run.gpu.graphs, 0);
  }
  run.gpu.is_full = true;
  CHECK_THROWS(run({1}, {kCaller, false}), "out of memory");
  run.gpu.is_full = false;
  CHECK_EQ(run({1}, {kCaller, false}), Floats{2});
}

TEST(tensorrt_goes_on_after_an_error) {
  Run run;
  for (const bool cuda_graph : {false, true}) {
    CHECK_THROWS(run(Floats(101, 1), {kCaller, cuda_graph}), "outside of the profile");
    CHECK_EQ(run({1}, {kCaller, cuda_graph}), Floats{2});
  }
  run.gpu.is_full = true;
  CHECK_THROWS(run({1, 2, 3}, {kCaller, true}), "the GPU has no 12 bytes left");
  run.gpu.is_full = false;
  CHECK_EQ(run({1, 2, 3}, {kCaller, true}), Floats{2, 4, 6});
}

/// y = x, copied on a real GPU.
class CopyingEngine final : public core::ForeignEngine {
 public:
  explicit CopyingEngine(const Cuda& cuda) : cuda_(cuda) {}

  std::vector<core::ForeignTensor> tensors() const override {
    return {{"x", core::DType::f32, true, false}, {"y", core::DType::f32, false, false}};
  }
  std::unique_ptr<core::ForeignContext> create_context() const override;
  std::int64_t streamable_bytes() const override { return 0; }
  std::int64_t budget() const override { return 0; }
  std::int64_t automatic_budget() const override { return 0; }
  void set_budget(std::int64_t) override {}

 private:
  const Cuda& cuda_;
};

class CopyingContext final : public core::ForeignContext {
 public:
  explicit CopyingContext(const Cuda& cuda) : cuda_(cuda) {}

  void set_input_shape(const std::string&, std::span<const std::int64_t> dims) override {
    count_ = dims[0];
  }
  void set_address(const std::string& name, void* data) override { (name == "x" ? x_ : y_) = data; }
  Dims shape(const std::string&) override { return {count_}; }
  void set_allocator(const std::string&, core::ForeignAllocator) override {}
  void enqueue(void* stream) override {
    cuda_.copy(y_, x_, static_cast<std::size_t>(count_) * sizeof(float), stream);
  }

 private:
  const Cuda& cuda_;
  std::int64_t count_ = 0;
  void *x_ = nullptr, *y_ = nullptr;
};

std::unique_ptr<core::ForeignContext> CopyingEngine::create_context() const {
  return std::make_unique<CopyingContext>(cuda_);
}

class DeviceSink final : public core::OutputSink {
 public:
  explicit DeviceSink(void* data) : data_(data) {}
  void* allocate(std::size_t, core::DType, std::span<const std::int64_t>) override { return data_; }

 private:
  void* data_;
};

TEST(tensorrt_runs_on_a_real_gpu) {
  std::string reason;
  const Cuda* cuda = Cuda::driver(&reason);
  if (!cuda) SKIP(reason);
  CHECK(cuda->architecture(0).starts_with("sm_"));
  const auto current = cuda->use(0);
  constexpr std::size_t kMost = 1000;
  void *x = cuda->allocate(kMost * sizeof(float)), *y = cuda->allocate(kMost * sizeof(float));
  void* const stream = cuda->create_stream();
  {
    const auto executable = make_executable(std::make_unique<CopyingEngine>(*cuda), *cuda, 0);
    const auto context = executable->create_context();
    for (int call = 0; call < 40; ++call) {
      Floats sent(call % 3 == 0 ? kMost : 10, static_cast<float>(call)), got(sent.size());
      void* const caller = call % 5 == 0 ? nullptr : stream;
      cuda->copy(x, sent.data(), sent.size() * sizeof(float), caller);
      const Dims dims = {static_cast<std::int64_t>(sent.size())};
      const std::vector<core::Buffer> inputs = {{core::DType::f32, dims, x}};
      DeviceSink sink(y);
      context->run(inputs, sink, {caller, call % 2 == 0});
      cuda->copy(got.data(), y, got.size() * sizeof(float), caller);
      cuda->synchronize(caller);
      CHECK_EQ(got, sent);
    }
  }
  cuda->destroy_stream(stream);
  cuda->free(y);
  cuda->free(x);
}

TEST(tensorrt_plans_fit_where_they_say) {
  core::TensorRtOptions options;
  const core::Plan plain = tagged_plan("tensorrt", "10.16.1", "sm_89", options);
  CHECK(tag_fits(plain, "10.16.1", "sm_89"));
  CHECK(!tag_fits(plain, "10.16.2", "sm_89"));
  CHECK(!tag_fits(plain, "10.16.1", "sm_90"));
  options.hardware_compatible = true;
  const core::Plan hardware = tagged_plan("tensorrt", "10.16.1", "sm_89", options);
  CHECK_EQ(hardware.device, "sm_80+");
  CHECK(tag_fits(hardware, "10.16.1", "sm_80"));
  CHECK(tag_fits(hardware, "10.16.1", "sm_120"));
  CHECK(!tag_fits(hardware, "10.16.1", "sm_75"));
  CHECK(!tag_fits(hardware, "10.16.1", "none"));
  options.version_compatible = true;
  const core::Plan both = tagged_plan("tensorrt", "10.16.1", "sm_89", options);
  CHECK(tag_fits(both, "10.16.1", "sm_90"));
  CHECK(tag_fits(both, "10.20.0", "sm_90"));
  CHECK(!tag_fits(both, "10.9.0", "sm_90"));
  CHECK(!tag_fits(both, "11.1.0", "sm_90"));
}

}  // namespace
}  // namespace torch_tensorrt::engines::tensorrt
