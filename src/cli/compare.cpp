#include "cli/compare.h"

#include <ATen/ATen.h>

#include <string>

#include "core/text.h"

namespace torch_tensorrt::cli {
namespace {

using core::text;

/// The dtype and device of the first floating-point weight: what inputs that say nothing have.
at::TensorOptions default_options(const torch::jit::Module& module) {
  for (const at::Tensor& parameter : module.parameters()) {
    if (parameter.is_floating_point()) return parameter.options().requires_grad(false);
  }
  return at::TensorOptions(at::kFloat);
}

/// Numbers in [0, 2), whole ones for integers: indices that small fit most tables.
at::Tensor random_input(const compiler::InputSpec& spec, at::TensorOptions options) {
  if (spec.dtype) options = options.dtype(*spec.dtype);
  const at::ScalarType type = c10::typeMetaToScalarType(options.dtype());
  if (!at::isFloatingType(type)) {
    return at::randint(2, spec.opt, options.dtype(at::kLong)).to(type);
  }
  const at::Tensor input = (at::rand(spec.opt, options.dtype(at::kFloat)) * 2).to(type);
  return spec.channels_last ? input.contiguous(at::MemoryFormat::ChannelsLast) : input;
}

void flatten(const c10::IValue& value, std::vector<at::Tensor>& out) {
  if (value.isTensor()) {
    out.push_back(value.toTensor());
  } else if (value.isTuple()) {
    for (const c10::IValue& element : value.toTupleRef().elements()) flatten(element, out);
  } else if (value.isList()) {
    for (const c10::IValue& element : value.toListRef()) flatten(element, out);
  } else if (value.isGenericDict()) {
    for (const auto& entry : value.toGenericDict()) flatten(entry.value(), out);
  }
}

std::vector<at::Tensor> outputs(torch::jit::Module& module,
                                const std::vector<c10::IValue>& inputs) {
  const c10::InferenceMode no_gradients;
  std::vector<at::Tensor> tensors;
  flatten(module.forward(inputs), tensors);
  return tensors;
}

double largest(const at::Tensor& tensor) {
  return tensor.numel() == 0 ? 0 : tensor.abs().max().item<double>();
}

/// What is wrong with an output, or nothing.
std::string compare_output(std::size_t index, const at::Tensor& expected, const at::Tensor& got,
                           const Tolerance& tolerance) {
  if (got.sizes() != expected.sizes() || got.scalar_type() != expected.scalar_type()) {
    return text("output ", index, " is ", got.scalar_type(), got.sizes(), ", PyTorch's is ",
                expected.scalar_type(), expected.sizes());
  }
  const at::Tensor reference = expected.to(at::kDouble);
  const double difference = largest(got.to(at::kDouble) - reference);
  const double allowed = tolerance.atol + tolerance.rtol * largest(reference);
  // Written so that a NaN is told.
  if (difference <= allowed) return "";
  return text("output ", index, " differs from PyTorch's by ", difference,
              ", more than atol + rtol * (largest element) = ", allowed,
              "; see --atol, --rtol and --no-threshold-check");
}

}  // namespace

std::vector<std::string> compare(torch::jit::Module& original, torch::jit::Module& compiled,
                                 const std::vector<compiler::InputSpec>& inputs,
                                 const Tolerance& tolerance) {
  constexpr std::string_view not_compared = "results were not compared with PyTorch's: ";
  std::vector<std::string> problems;
  try {
    at::manual_seed(0);
    const at::TensorOptions options = default_options(original);
    std::vector<c10::IValue> values;
    for (const compiler::InputSpec& input : inputs) {
      values.emplace_back(random_input(input, options));
    }
    const auto expected = outputs(original, values);
    const auto got = outputs(compiled, values);
    if (got.size() != expected.size()) {
      return {text("the compiled module has ", got.size(), " outputs, PyTorch's has ",
                   expected.size())};
    }
    for (std::size_t i = 0; i < got.size(); ++i) {
      std::string problem = compare_output(i, expected[i], got[i], tolerance);
      if (!problem.empty()) problems.push_back(std::move(problem));
    }
  } catch (const c10::Error& error) {
    problems.push_back(text(not_compared, error.what_without_backtrace()));
  } catch (const std::exception& error) {
    problems.push_back(text(not_compared, error.what()));
  }
  return problems;
}

}  // namespace torch_tensorrt::cli
