#include "engines/tensorrt/native/engine.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

#include "core/text.h"

namespace torch_tensorrt::engines::tensorrt {

namespace {

core::DType dtype_of(nvinfer1::DataType type) {
  using nvinfer1::DataType;
  switch (type) {
    case DataType::kFLOAT:
      return core::DType::f32;
    case DataType::kHALF:
      return core::DType::f16;
    case DataType::kBF16:
      return core::DType::bf16;
    case DataType::kINT64:
      return core::DType::i64;
    case DataType::kINT32:
      return core::DType::i32;
    case DataType::kINT8:
      return core::DType::i8;
    case DataType::kUINT8:
      return core::DType::u8;
    case DataType::kBOOL:
      return core::DType::b;
    case DataType::kFP8:
      return core::DType::f8;
    case DataType::kINT4:
      return core::DType::i4;
    default:
      throw core::incompatible("[engine tensorrt] the plan has a tensor of ", kProduct, "'s type ",
                               static_cast<int>(type), ", which no network of this project has");
  }
}

nvinfer1::Dims to_dims(std::span<const std::int64_t> values) {
  nvinfer1::Dims dims{static_cast<std::int32_t>(values.size()), {}};
  std::copy_n(values.begin(), std::min(values.size(), std::size(dims.d)), dims.d);
  return dims;
}

/// Takes an output's memory when its size is known.
class OutputAllocator final : public nvinfer1::IOutputAllocator {
 public:
  explicit OutputAllocator(core::ForeignAllocator allocator) : allocator_(std::move(allocator)) {}

  void* reallocateOutputAsync(const char*, void*, std::uint64_t size, std::uint64_t,
                              cudaStream_t) override {
    return allocator_.allocate(size);
  }
  void notifyShape(const char*, const nvinfer1::Dims& dims) noexcept override {
    allocator_.set_dims({dims.d, static_cast<std::size_t>(dims.nbDims)});
  }

 private:
  core::ForeignAllocator allocator_;
};

class Context final : public core::ForeignContext {
 public:
  Context(std::unique_ptr<nvinfer1::IExecutionContext> context, Logger& logger)
      : context_(std::move(context)), logger_(logger) {}

  void set_input_shape(const std::string& name, std::span<const std::int64_t> dims) override {
    check(context_->setInputShape(name.c_str(), to_dims(dims)),
          core::text('[', core::join(dims), "] for ", name));
  }
  void set_address(const std::string& name, void* data) override {
    check(context_->setTensorAddress(name.c_str(), data), "the memory for " + name);
  }
  std::vector<std::int64_t> shape(const std::string& name) override {
    const nvinfer1::Dims dims = context_->getTensorShape(name.c_str());
    check(dims.nbDims >= 0, "to tell the shape of " + name);
    return {dims.d, dims.d + dims.nbDims};
  }
  void set_allocator(const std::string& name, core::ForeignAllocator allocator) override {
    auto& kept = allocators_[name];
    kept = std::make_unique<OutputAllocator>(std::move(allocator));
    check(context_->setOutputAllocator(name.c_str(), kept.get()), "an allocator for " + name);
  }
  void enqueue(void* stream) override {
    check(context_->enqueueV3(static_cast<cudaStream_t>(stream)), "to run the engine");
  }

 private:
  void check(bool accepted, const std::string& what) {
    if (accepted) return;
    const std::string words = logger_.errors();
    logger_.forget_errors();
    throw core::unsupported("[engine tensorrt] ", kProduct, " refuses ", what, words);
  }

  std::unique_ptr<nvinfer1::IExecutionContext> context_;
  Logger& logger_;
  std::map<std::string, std::unique_ptr<OutputAllocator>> allocators_;
};

class Engine final : public core::ForeignEngine {
 public:
  Engine(std::unique_ptr<Logger> logger, std::unique_ptr<nvinfer1::IRuntime> runtime,
         std::unique_ptr<nvinfer1::ICudaEngine> engine)
      : logger_(std::move(logger)), runtime_(std::move(runtime)), engine_(std::move(engine)) {}

  std::vector<core::ForeignTensor> tensors() const override {
    std::vector<core::ForeignTensor> tensors;
    for (std::int32_t i = 0; i < engine_->getNbIOTensors(); ++i) {
      const char* name = engine_->getIOTensorName(i);
      tensors.push_back({name, dtype_of(engine_->getTensorDataType(name)),
                         engine_->getTensorIOMode(name) == nvinfer1::TensorIOMode::kINPUT,
                         engine_->getTensorLocation(name) == nvinfer1::TensorLocation::kHOST});
    }
    return tensors;
  }
  std::unique_ptr<core::ForeignContext> create_context() const override {
    return std::make_unique<Context>(owned(engine_->createExecutionContext(), "execution context"),
                                     *logger_);
  }
  std::int64_t streamable_bytes() const override { return engine_->getStreamableWeightsSize(); }
  std::int64_t budget() const override { return engine_->getWeightStreamingBudgetV2(); }
  std::int64_t automatic_budget() const override {
    return engine_->getWeightStreamingAutomaticBudget();
  }
  void set_budget(std::int64_t bytes) override {
    check(engine_->setWeightStreamingBudgetV2(bytes), core::text("a budget of ", bytes, " bytes"));
  }

 private:
  // Each outlives those behind it.
  std::unique_ptr<Logger> logger_;
  std::unique_ptr<nvinfer1::IRuntime> runtime_;
  std::unique_ptr<nvinfer1::ICudaEngine> engine_;
};

}  // namespace

std::unique_ptr<core::ForeignEngine> load_engine(std::unique_ptr<Logger> logger,
                                                 std::unique_ptr<nvinfer1::IRuntime> runtime,
                                                 const core::Blob& plan) {
  std::unique_ptr<nvinfer1::ICudaEngine> engine(
      runtime->deserializeCudaEngine(plan.data(), plan.size()));
  if (engine == nullptr) {
    throw core::incompatible("[engine tensorrt] ", kProduct, " does not load the plan",
                             logger->errors());
  }
  return std::make_unique<Engine>(std::move(logger), std::move(runtime), std::move(engine));
}

}  // namespace torch_tensorrt::engines::tensorrt
