#pragma once

// Torch-TensorRT in C++: compiles TorchScript modules to modules of which every supported part is
// one engine.
//
//   torch::jit::Module module = torch::jit::load("model.ts");
//   torchtrt::ts::CompileSpec spec({example_input});
//   torch::jit::Module fast = torchtrt::ts::CompileGraph(module, spec);
//   fast.forward({example_input});
//   fast.save("fast.ts");
//
// Errors are std::runtime_errors whose text says what was got, what was expected and what to do.

#include <torch/custom_class.h>
#include <torch/script.h>

#include <cstdint>
#include <initializer_list>
#include <iosfwd>
#include <set>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "torch_tensorrt/logging.h"
#include "torch_tensorrt/macros.h"

namespace torch_tensorrt {

/// Dtype of an input, or a precision that engines may compute in.
class TORCHTRT_API DataType {
 public:
  enum Value : std::int8_t {
    kLong,      ///< int64
    kDouble,    ///< float64
    kFloat,     ///< float32
    kHalf,      ///< float16
    kBFloat16,  ///< bfloat16
    kChar,      ///< int8
    kByte,      ///< uint8
    kInt,       ///< int32
    kBool,      ///< bool
    kUnknown,   ///< not said: for an input, the dtype of the first weight that meets it, else
                ///< float32
  };

  DataType() = default;
  constexpr DataType(Value value) : value_(value) {}  // NOLINT: a Value is a DataType
  /// Throws for a dtype that no engine takes.
  DataType(at::ScalarType type);  // NOLINT: an at::ScalarType is a DataType

  operator Value() const { return value_; }  // NOLINT: usable in switch
  explicit operator bool() const = delete;
  constexpr bool operator==(DataType other) const { return value_ == other.value_; }
  constexpr bool operator==(DataType::Value other) const { return value_ == other; }
  constexpr bool operator!=(DataType other) const { return value_ != other.value_; }
  constexpr bool operator!=(DataType::Value other) const { return value_ != other; }

 private:
  Value value_ = kUnknown;
};
/// "float32"
TORCHTRT_API std::ostream& operator<<(std::ostream& stream, const DataType& dtype);

/// Memory layout of an input.
class TORCHTRT_API TensorFormat {
 public:
  enum Value : std::int8_t {
    kContiguous,    ///< row-major: NCHW
    kChannelsLast,  ///< NHWC
    kUnknown,
  };

  TensorFormat() = default;
  constexpr TensorFormat(Value value) : value_(value) {}  // NOLINT: a Value is a TensorFormat
  /// Throws for other formats than Contiguous and ChannelsLast.
  TensorFormat(at::MemoryFormat format);  // NOLINT: an at::MemoryFormat is a TensorFormat

  operator Value() const { return value_; }  // NOLINT: usable in switch
  explicit operator bool() const = delete;
  constexpr bool operator==(TensorFormat other) const { return value_ == other.value_; }
  constexpr bool operator==(TensorFormat::Value other) const { return value_ == other; }
  constexpr bool operator!=(TensorFormat other) const { return value_ != other.value_; }
  constexpr bool operator!=(TensorFormat::Value other) const { return value_ != other; }

 private:
  Value value_ = kUnknown;
};
/// "contiguous"
TORCHTRT_API std::ostream& operator<<(std::ostream& stream, const TensorFormat& format);

/// Where engines run. Unless said, where the module is: on a CPU, or on the GPU of its weights.
struct TORCHTRT_API Device {
  class TORCHTRT_API DeviceType {
   public:
    enum Value : std::int8_t {
      kGPU,   ///< CUDA
      kDLA,   ///< NVIDIA's deep learning accelerator
      kCPU,   ///< the host
      kAuto,  ///< where the module is
    };
    DeviceType() = default;
    constexpr DeviceType(Value value) : value_(value) {}  // NOLINT: a Value is a DeviceType
    /// CUDA or CPU; throws for others.
    DeviceType(c10::DeviceType type);  // NOLINT: a c10::DeviceType is a DeviceType

    operator Value() const { return value_; }  // NOLINT: usable in switch
    explicit operator bool() const = delete;
    constexpr bool operator==(DeviceType other) const { return value_ == other.value_; }
    constexpr bool operator==(DeviceType::Value other) const { return value_ == other; }
    constexpr bool operator!=(DeviceType other) const { return value_ != other.value_; }
    constexpr bool operator!=(DeviceType::Value other) const { return value_ != other; }

   private:
    Value value_ = kAuto;
  };

  DeviceType device_type;
  std::int64_t gpu_id = 0;
  std::int64_t dla_core = 0;
  /// Let layers that a DLA refuses run on its GPU.
  bool allow_gpu_fallback = false;
};

/// Which of TensorRT's builds an engine is for.
enum class EngineCapability : std::int8_t {
  kSTANDARD,
  kSAFETY,
  kDLA_STANDALONE,
};

/// One tensor input: its shape, or the smallest, usual and largest of its shapes, and what else is
/// known of it.
///
/// Shapes are given as std::vector<int64_t> or c10::IntArrayRef. A dtype left out is taken from the
/// first weight that meets the input, else float32. `tensor_domain` is [low, high): kept for code
/// that gives one; no data is drawn.
struct TORCHTRT_API Input : torch::CustomClassHolder {
  using Sizes = std::vector<std::int64_t>;
  template <typename T>
  using IfArrayRef = std::enable_if_t<std::is_same_v<T, c10::IntArrayRef>, bool>;

  Sizes min_shape;
  Sizes opt_shape;
  Sizes max_shape;
  /// The shape with -1 where a dimension is dynamic.
  Sizes shape;
  /// kUnknown where it was not given.
  DataType dtype = DataType::kUnknown;
  TensorFormat format = TensorFormat::kContiguous;
  /// Range of values, [low, high).
  std::vector<double> tensor_domain = {0, 2};

  Input() = default;

  // ---- of one shape ----
  Input(Sizes shape,
        TensorFormat format = TensorFormat::kContiguous);  // NOLINT: a shape is an Input
  Input(Sizes shape, std::vector<double> tensor_domain,
        TensorFormat format = TensorFormat::kContiguous);
  Input(Sizes shape, DataType dtype, TensorFormat format = TensorFormat::kContiguous);
  Input(Sizes shape, DataType dtype, std::vector<double> tensor_domain,
        TensorFormat format = TensorFormat::kContiguous);

  // ---- of shapes between min and max; engines are tuned for opt. Throws unless the ranks are
  // ---- equal and min <= opt <= max in every dimension.
  Input(Sizes min_shape, Sizes opt_shape, Sizes max_shape,
        TensorFormat format = TensorFormat::kContiguous);
  Input(Sizes min_shape, Sizes opt_shape, Sizes max_shape, std::vector<double> tensor_domain,
        TensorFormat format = TensorFormat::kContiguous);
  Input(Sizes min_shape, Sizes opt_shape, Sizes max_shape, DataType dtype,
        TensorFormat format = TensorFormat::kContiguous);
  Input(Sizes min_shape, Sizes opt_shape, Sizes max_shape, DataType dtype,
        std::vector<double> tensor_domain, TensorFormat format = TensorFormat::kContiguous);

  // ---- the same with c10::IntArrayRef. Templates, as a braced list of numbers is meant as a
  // std::vector.
  template <typename T, IfArrayRef<T> = true, typename... Rest>
  Input(T shape, Rest... rest)  // NOLINT: a shape is an Input
      : Input(shape.vec(), std::move(rest)...) {}
  template <typename T, IfArrayRef<T> = true, typename... Rest>
  Input(T min_shape, T opt_shape, T max_shape, Rest... rest)
      : Input(min_shape.vec(), opt_shape.vec(), max_shape.vec(), std::move(rest)...) {}

  /// Shape, dtype and format of a tensor.
  Input(at::Tensor tensor);  // NOLINT: an example is an Input
};
/// "Input(shape=[1, 3, 224, 224], dtype=float32, format=contiguous)"
TORCHTRT_API std::ostream& operator<<(std::ostream& stream, const Input& input);

/// The inputs of a method: a list of tensors, or a tree of tuples, lists and dicts with them.
struct TORCHTRT_API GraphInputs {
  GraphInputs() = default;
  explicit GraphInputs(std::vector<std::vector<std::int64_t>> shapes);
  explicit GraphInputs(std::vector<Input> inputs);
  /// A tuple with one element per argument; leaves are Inputs (as custom class) or example tensors.
  explicit GraphInputs(torch::jit::IValue input_signature);

  /// None where the arguments are plain tensors.
  torch::jit::IValue input_signature;
  std::vector<Input> inputs;
};

/// Versions of Torch-TensorRT, PyTorch and the engines found, a line each.
TORCHTRT_API std::string get_build_info();
/// Prints them to stdout.
TORCHTRT_API void dump_build_info();
/// Makes a GPU the current one. Throws where there is none of that index.
TORCHTRT_API void set_device(int gpu_id);

namespace torchscript {

/// What to compile for, and how. A spec is made from the inputs:
///
///   CompileSpec spec({example_tensor});                                     // examples
///   CompileSpec spec({{1, 3, 224, 224}});                                   // shapes
///   CompileSpec spec({torchtrt::Input({1, 3, 224, 224}, torch::kHalf)});    // shapes with more
///   CompileSpec spec({torchtrt::Input({1, 8}, {4, 8}, {16, 8})});           // a dynamic batch
///   CompileSpec spec(signature);                                            // an IValue: a tuple
///   of trees of inputs
struct TORCHTRT_API CompileSpec {
  CompileSpec(std::initializer_list<at::Tensor> examples);
  CompileSpec(std::initializer_list<Input> inputs);
  CompileSpec(std::initializer_list<std::vector<std::int64_t>> shapes);
  CompileSpec(std::vector<at::Tensor> examples);               // NOLINT: as upstream, not explicit
  CompileSpec(std::vector<Input> inputs);                      // NOLINT
  CompileSpec(std::vector<std::vector<std::int64_t>> shapes);  // NOLINT
  CompileSpec(const std::vector<c10::IntArrayRef>& shapes);    // NOLINT
  CompileSpec(torch::jit::IValue input_signature);             // NOLINT

  GraphInputs graph_inputs;

  /// Engine plugin: "auto" (tensorrt where it can run, else openvino, else reference), or a
  /// plugin's name.
  std::string engine = "auto";
  /// Precisions that engines may compute in: kFloat, kHalf, kBFloat16, kChar.
  std::set<DataType> enabled_precisions = {DataType::kFloat};
  /// Compute float32 convolutions and matmuls without TF32 on GPUs.
  bool disable_tf32 = false;
  /// Let TensorRT use structured sparsity of weights.
  bool sparse_weights = false;
  /// Build engines whose weights can be replaced.
  bool refit = false;
  /// Build engines that can be inspected layer by layer.
  bool debug = false;
  /// Compute 64-bit floats in 32 bits inside engines.
  bool truncate_long_and_double = false;
  /// Accepted for compatibility; shapes are always computed on the host where they can be.
  bool allow_shape_tensors = false;
  Device device;
  EngineCapability capability = EngineCapability::kSTANDARD;
  /// Timing iterations per kernel while TensorRT tunes.
  std::uint64_t num_avg_timing_iters = 1;
  /// Largest workspace of an engine in bytes; 0: the engine's choice.
  std::uint64_t workspace_size = 0;
  /// Builder effort 0..5; -1: the engine's default.
  std::int64_t optimization_level = -1;
  /// GPU architectures to build TensorRT plans for ahead of time, "sm_89"; the GPU need not be
  /// here.
  std::vector<std::string> target;
  /// Build TensorRT plans that later versions of it load.
  bool version_compatible = false;
  /// Build TensorRT plans that newer GPUs run.
  bool hardware_compatible = false;
  /// Further CUDA streams that TensorRT may use; -1: its choice.
  std::int64_t max_aux_streams = -1;
  /// Effort of TensorRT's tiling: none, fast, moderate, full.
  std::string tiling_optimization_level = "none";
  /// L2 cache in bytes that tiling may use; -1: TensorRT's choice.
  std::int64_t l2_limit_for_tiling = -1;
  /// File of TensorRT's kernel timings, read and written; empty: none.
  std::string timing_cache_path;
  /// Build TensorRT plans without weights, to be refitted when loaded.
  bool strip_engine_weights = false;
  /// Allow refitting only with the weights that were built with.
  bool refit_identical_engine_weights = false;
  /// Let TensorRT keep weights on the host and stream them.
  bool enable_weight_streaming = false;
  std::uint64_t dla_sram_size = 1048576;           ///< bytes
  std::uint64_t dla_local_dram_size = 1073741824;  ///< bytes
  std::uint64_t dla_global_dram_size = 536870912;  ///< bytes
  /// CPU threads of one inference; 0: as many as PyTorch uses.
  std::uint64_t num_threads = 0;
  /// Report what engines would take without building any; the result runs in PyTorch.
  bool dryrun = false;
  /// Fail, naming the ops, unless the whole model becomes one engine.
  bool require_full_compilation = false;
  /// Fail where an engine cannot be built, rather than leave its ops in PyTorch.
  bool pass_through_build_failures = false;
  /// Fewest ops that are worth an engine; smaller groups stay in PyTorch.
  std::uint64_t min_block_size = 3;
  /// Ops to keep in PyTorch, such as "aten::relu".
  std::vector<std::string> torch_executed_ops;
  /// Module types or module paths whose ops stay in PyTorch.
  std::vector<std::string> torch_executed_modules;
  /// Keep the network in the artifact, so that engines can be rebuilt on another machine or
  /// version.
  bool portable = true;
  /// Keep compiled engines in a per-user cache.
  bool cache_built_engines = true;
  /// Folder of that cache; empty: $XDG_CACHE_HOME/torch_tensorrt.
  std::string engine_cache_dir;
};

/// Has every op of the method a converter?
TORCHTRT_API bool check_method_operator_support(const torch::jit::Module& module,
                                                std::string method_name);

/// A new module with the same forward, every supported part of it an engine, the rest in PyTorch.
/// `module` is not changed. Throws where the inputs do not fit the module, or where
/// `require_full_compilation` cannot be met.
TORCHTRT_API torch::jit::Module compile(const torch::jit::Module& module, CompileSpec spec);

/// The whole method as one engine's bytes, for `embed_engine_in_new_module`. Throws, naming the
/// ops, where an engine cannot take all of it.
TORCHTRT_API std::string convert_method_to_trt_engine(const torch::jit::Module& module,
                                                      std::string method_name, CompileSpec spec);

/// A module whose forward runs an engine: tensors in, one tensor or a tuple out. Binding names,
/// where given, must be as many as the engine's inputs and outputs and become their order.
TORCHTRT_API torch::jit::Module embed_engine_in_new_module(
    const std::string& engine, Device device = {},
    const std::vector<std::string>& input_binding_names = {},
    const std::vector<std::string>& output_binding_names = {});

enum class ReportFormat : std::int8_t { kText, kJson };
/// What became of every op of a compiled module: an engine, or PyTorch with the reason. Throws
/// for a module that was not compiled here.
TORCHTRT_API std::string get_report(const torch::jit::Module& module,
                                    ReportFormat format = ReportFormat::kText);

// ---- the same under the names of the first releases ----
inline bool CheckMethodOperatorSupport(const torch::jit::Module& module, std::string method_name) {
  return check_method_operator_support(module, std::move(method_name));
}
inline torch::jit::Module CompileGraph(const torch::jit::Module& module, CompileSpec spec) {
  return compile(module, std::move(spec));
}
inline std::string ConvertGraphToTRTEngine(const torch::jit::Module& module,
                                           std::string method_name, CompileSpec spec) {
  return convert_method_to_trt_engine(module, std::move(method_name), std::move(spec));
}
inline torch::jit::Module EmbedEngineInNewModule(const std::string& engine, Device device = {}) {
  return embed_engine_in_new_module(engine, device);
}

}  // namespace torchscript
}  // namespace torch_tensorrt
