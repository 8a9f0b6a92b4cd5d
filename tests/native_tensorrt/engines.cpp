#include "engines.h"

#include <NvInfer.h>

#include <cstdlib>
#include <map>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "core/error.h"
#include "engines/tensorrt/native/engine.h"

namespace torch_tensorrt::tests {

namespace {

using namespace nvinfer1;  // NOLINT: this file is a list of its names

#include "plain_classes.inc"

using engines::tensorrt::Logger;

Dims dims_of(const std::vector<std::int64_t>& values) {
  Dims dims{static_cast<std::int32_t>(values.size()), {}};
  std::copy(values.begin(), values.end(), dims.d);
  return dims;
}

/// y: what is known of the shape of x; z: data-dependent, half of y's memory.
class ContextImpl final : public PlainExecutionContext {
 public:
  explicit ContextImpl(Logger& logger) : logger_(logger) {}

  bool setInputShape(char const* name, Dims const& dims) noexcept override {
    if (dims.d[0] > 8) {
      logger_.log(ILogger::Severity::kERROR, "x is out of the profile");
      return false;
    }
    x_ = std::string_view(name) == "x" ? dims : x_;
    return true;
  }
  Dims getTensorShape(char const* name) const noexcept override {
    return std::string_view(name) == "y" ? x_ : dims_of({-1});
  }
  bool setTensorAddress(char const* name, void* data) noexcept override {
    addresses_[name] = data;
    return true;
  }
  bool setOutputAllocator(char const* name, IOutputAllocator* allocator) noexcept override {
    allocators_[name] = allocator;
    return true;
  }
  bool enqueueV3(cudaStream_t stream) noexcept override {
    const auto* x = static_cast<const float*>(addresses_["x"]);
    auto* y = static_cast<float*>(addresses_["y"]);
    for (std::int64_t i = 0; i < x_.d[0]; ++i) y[i] = -x[i];
    auto* z = static_cast<float*>(
        allocators_["z"]->reallocateOutputAsync("z", nullptr, 8 * sizeof(float), 256, stream));
    if (z == nullptr) {
      logger_.log(ILogger::Severity::kERROR, "no memory for z");
      return false;
    }
    z[0] = static_cast<float>(reinterpret_cast<std::uintptr_t>(stream));
    allocators_["z"]->notifyShape("z", dims_of({1}));
    return true;
  }

 private:
  Logger& logger_;
  Dims x_{};
  std::map<std::string, void*> addresses_;
  std::map<std::string, IOutputAllocator*> allocators_;
};

struct FakeContext final : IExecutionContext {
  explicit FakeContext(Logger& logger) : impl(logger) { mImpl = &impl; }
  ContextImpl impl;
};

class EngineImpl final : public PlainCudaEngine {
 public:
  explicit EngineImpl(Logger& logger) : logger_(logger) {}

  std::int32_t getNbIOTensors() const noexcept override { return 4; }
  char const* getIOTensorName(std::int32_t index) const noexcept override {
    static constexpr const char* kNames[] = {"x", "size", "y", "z"};
    return kNames[index];
  }
  DataType getTensorDataType(char const* name) const noexcept override {
    return std::string_view(name) == "size" ? DataType::kINT64 : DataType::kFLOAT;
  }
  TensorIOMode getTensorIOMode(char const* name) const noexcept override {
    return *name == 'y' || *name == 'z' ? TensorIOMode::kOUTPUT : TensorIOMode::kINPUT;
  }
  TensorLocation getTensorLocation(char const* name) const noexcept override {
    return std::string_view(name) == "size" ? TensorLocation::kHOST : TensorLocation::kDEVICE;
  }
  IExecutionContext* createExecutionContext(ExecutionContextAllocationStrategy) noexcept override {
    return new FakeContext(logger_);
  }
  std::int64_t getStreamableWeightsSize() const noexcept override { return 100; }
  std::int64_t getWeightStreamingBudgetV2() const noexcept override { return budget_; }
  std::int64_t getWeightStreamingAutomaticBudget() const noexcept override { return 60; }
  bool setWeightStreamingBudgetV2(std::int64_t budget) noexcept override {
    if (budget > 100) return false;
    budget_ = budget;
    return true;
  }

 private:
  Logger& logger_;
  std::int64_t budget_ = 0;
};

struct FakeEngine final : ICudaEngine {
  explicit FakeEngine(Logger& logger) : impl(logger) { mImpl = &impl; }
  EngineImpl impl;
};

class RuntimeImpl final : public PlainRuntime {
 public:
  explicit RuntimeImpl(Logger& logger) : logger_(logger) {}
  ICudaEngine* deserializeCudaEngine(void const* blob, std::size_t size) noexcept override {
    if (std::string_view(static_cast<const char*>(blob), size) == "plan")
      return new FakeEngine(logger_);
    logger_.log(ILogger::Severity::kERROR, "the magic tag does not match");
    return nullptr;
  }

 private:
  Logger& logger_;
};

struct FakeRuntime final : IRuntime {
  explicit FakeRuntime(Logger& logger) : impl(logger) { mImpl = &impl; }
  RuntimeImpl impl;
};

std::unique_ptr<core::ForeignEngine> loaded(std::string_view plan) {
  auto logger = std::make_unique<Logger>();
  auto runtime = std::make_unique<FakeRuntime>(*logger);
  const auto* bytes = reinterpret_cast<const std::byte*>(plan.data());
  return engines::tensorrt::load_engine(std::move(logger), std::move(runtime),
                                        core::Blob::of({bytes, bytes + plan.size()}));
}

/// What the error says, or that there is none.
std::string error_of(const std::function<void()>& body) {
  try {
    body();
  } catch (const core::Error& error) {
    return error.what();
  }
  return "no error";
}

std::string without(const std::string& text, const std::string& part) {
  return text.find(part) == text.npos ? text : std::string();
}

}  // namespace

void check_engines(
    const std::function<void(const std::string&, bool, const std::string&)>& report) {
  const auto expect = [&](const std::string& name, bool good) { report(name, good, "  differs"); };
  const auto engine = loaded("plan");
  std::string tensors;
  for (const core::ForeignTensor& tensor : engine->tensors())
    tensors += core::text(tensor.name, ' ', core::name(tensor.dtype), tensor.is_input ? " in" : "",
                          tensor.host ? " host" : "", "; ");
  report("tensors of an engine", tensors == "x f32 in; size i64 in host; y f32; z f32; ", tensors);

  const auto context = engine->create_context();
  std::vector<float> x = {1, 2, 3}, y(3), z;
  std::vector<std::int64_t> z_dims;
  context->set_input_shape("x", std::vector<std::int64_t>{3});
  context->set_address("x", x.data());
  context->set_address("y", y.data());
  expect("known shape", context->shape("y") == std::vector<std::int64_t>{3});
  expect("unknown shape", context->shape("z") == std::vector<std::int64_t>{-1});
  context->set_allocator(
      "z", {[&](std::size_t bytes) {
              z.resize(bytes / sizeof(float));
              return z.data();
            },
            [&](std::span<const std::int64_t> dims) { z_dims.assign(dims.begin(), dims.end()); }});
  context->enqueue(reinterpret_cast<void*>(7));
  expect("results", y == std::vector<float>{-1, -2, -3});
  expect("the caller's stream", z.size() == 8 && z[0] == 7);
  expect("sizes that depend on data", z_dims == std::vector<std::int64_t>{1});

  engine->set_budget(engine->automatic_budget());
  expect("weight streaming", engine->streamable_bytes() == 100 && engine->budget() == 60);
  const auto expect_error = [&](const std::string& name, const std::string& words,
                                const std::function<void()>& body) {
    const std::string wrong = without(error_of(body), words);
    report(name, wrong.empty(), wrong);
  };
  expect_error("a budget that is refused", "refuses a budget of 101 bytes",
               [&] { engine->set_budget(101); });
  expect_error("a shape that is refused", "refuses [9] for x; TensorRT says: x is out of",
               [&] { context->set_input_shape("x", std::vector<std::int64_t>{9}); });
  context->set_allocator(
      "z", {[](std::size_t) -> void* { return nullptr; }, [](std::span<const std::int64_t>) {}});
  expect_error("memory that is not there", "refuses to run the engine; TensorRT says: no memory",
               [&] { context->enqueue(nullptr); });
  expect_error("a plan that is refused", "does not load the plan; TensorRT says: the magic tag",
               [] { loaded("something else"); });
}

}  // namespace torch_tensorrt::tests
