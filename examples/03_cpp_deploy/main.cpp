// Runs a compiled model with no Python and no compiler: libtorch, libtorchtrt_runtime and an engine
// plugin are all.
//
//   03_cpp_deploy model.ts expected.pt
//
// expected.pt is what prepare.py saved beside the model: a list of inputs and the list of what
// PyTorch made of them.

#include <torch/csrc/jit/serialization/pickle.h>
#include <torch/script.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace {

/// A list of inputs and the tensors that came out, as torch.save wrote them.
struct Expected {
  std::vector<c10::IValue> inputs;
  std::vector<torch::Tensor> outputs;
};

/// The tensors in nested tuples, lists and dicts, in order.
std::vector<torch::Tensor> tensors(const c10::IValue& value) {
  std::vector<torch::Tensor> found;
  value.visit([&](const c10::IValue& part) {
    if (part.isTensor()) found.push_back(part.toTensor());
    return false;
  });
  return found;
}

Expected read_expected(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + path);
  const std::vector<char> bytes((std::istreambuf_iterator<char>(file)), {});
  const c10::IValue value = torch::jit::pickle_load(bytes);
  const auto& parts = value.toTupleRef().elements();
  return {parts.at(0).toListRef().vec(), tensors(parts.at(1))};
}

/// Largest difference, relative to the largest element.
double relative_error(const torch::Tensor& got, const torch::Tensor& expected) {
  const torch::Tensor reference = expected.to(torch::kDouble);
  const double scale = std::max(reference.abs().max().item<double>(), 1e-30);
  return (got.to(torch::kDouble) - reference).abs().max().item<double>() / scale;
}

double milliseconds_per_call(torch::jit::Module& model, const std::vector<c10::IValue>& inputs) {
  constexpr int kCalls = 20;
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < kCalls; ++i) model.forward(inputs);
  const std::chrono::duration<double, std::milli> time = std::chrono::steady_clock::now() - start;
  return time.count() / kCalls;
}

int run(const std::string& model_path, const std::string& expected_path) {
  const c10::InferenceMode no_gradients;
  torch::jit::Module model = torch::jit::load(model_path);
  const Expected expected = read_expected(expected_path);
  const std::vector<torch::Tensor> outputs = tensors(model.forward(expected.inputs));
  if (outputs.size() != expected.outputs.size())
    throw std::runtime_error("another number of outputs");
  double worst = 0;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    worst = std::max(worst, relative_error(outputs[i], expected.outputs[i]));
  }
  const bool same = worst <= 1e-4;
  std::printf("%zu output(s), relative error %.1e: %s\n", outputs.size(), worst,
              same ? "the same numbers as PyTorch" : "NOT the same numbers as PyTorch");
  std::printf("%.2f ms per call\n", milliseconds_per_call(model, expected.inputs));
  return same ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: %s model.ts expected.pt\n", argv[0]);
    return 2;
  }
  try {
    return run(argv[1], argv[2]);
  } catch (const c10::Error& error) {
    std::fprintf(stderr, "%s\n", error.what_without_backtrace());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
  }
  return 1;
}
