#pragma once

// The compiler: the one place that knows all stages. capture -> lowering -> partitioning ->
// conversion -> engine -> assembly.

#include <torch/csrc/jit/api/module.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "compiler/probe.h"
#include "compiler/program.h"
#include "compiler/report.h"
#include "core/export.h"
#include "core/network.h"
#include "core/settings.h"

namespace torch_tensorrt::compiler {

/// One tensor input. Static when min == opt == max.
struct InputSpec {
  std::vector<std::int64_t> min, opt, max;
  /// Absent: the dtype of the first weight that meets the input, else f32.
  std::optional<at::ScalarType> dtype;
  bool channels_last = false;
  std::string name;
};

/// The inputs of a method: a leaf per tensor; tuples, lists and dicts as the method takes them. The
/// root is a tuple with one element per argument.
struct Signature {
  enum class Kind { leaf, tuple, list, dict, value };
  Kind kind = Kind::leaf;
  InputSpec input;                  ///< leaf
  std::vector<Signature> elements;  ///< tuple, list, dict values
  std::vector<std::string> keys;    ///< dict
  /// value: an example of an argument that is not a tensor (a number, a string, None). Other values
  /// still work: what was built for the example is guarded. Arguments that are not tensors may also
  /// be left out of the root.
  c10::IValue example;

  static Signature leaf(InputSpec input) {
    Signature signature;
    signature.input = std::move(input);
    return signature;
  }
  static Signature value(c10::IValue example) {
    Signature signature;
    signature.kind = Kind::value;
    signature.example = std::move(example);
    return signature;
  }
  static Signature tuple(std::vector<Signature> elements) {
    Signature signature;
    signature.kind = Kind::tuple;
    signature.elements = std::move(elements);
    return signature;
  }
};

struct CompileResult {
  torch::jit::Module module;
  Report report;
};

/// Compiles one method of a TorchScript module; the result is a new module with the same method,
/// every supported subgraph being a torch.classes.tensorrt.Engine. The input module is not changed.
TORCHTRT_API CompileResult compile(const torch::jit::Module& module, const Signature& inputs,
                                   const core::Settings& settings,
                                   const std::string& method = "forward");

/// Do all of the Program's ops that run on the first probe run on the second one as well? Probes
/// are the Graph's inputs, as `compile` takes them.
TORCHTRT_API bool runs_at(Program& program, Probe usual, Probe other);

/// Compiles a Program in place: its Graph becomes engines and what stays in PyTorch. `probes` are
/// the Graph's inputs at the smallest, usual and largest shapes (one where all are fixed:
/// `required` is how many), then at further shapes between.
TORCHTRT_API Report compile(Program& program, std::vector<Probe> probes, std::size_t required,
                            const core::Settings& settings);

/// The whole method as one engine's artifact bytes. Throws Error(unsupported) naming the ops that
/// no engine takes.
TORCHTRT_API std::vector<std::byte> convert_method_to_engine(const torch::jit::Module& module,
                                                             const Signature& inputs,
                                                             const core::Settings& settings,
                                                             const std::string& method = "forward");

/// Ops of the method without a converter, sorted: empty means that every op is supported.
TORCHTRT_API std::vector<std::string> unsupported_ops(const torch::jit::Module& module,
                                                      const std::string& method = "forward");

/// A module whose forward runs the artifact: tensors in, one tensor or a tuple out.
TORCHTRT_API torch::jit::Module embed_engine(const std::vector<std::byte>& artifact,
                                             const core::Settings& settings);

}  // namespace torch_tensorrt::compiler
