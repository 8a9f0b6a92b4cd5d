// Compiles a TorchScript model in C++, runs it, and saves it.
//
//   04_cpp_compile model.ts compiled.ts [size...]        the input's shape; default 1 3 224 224

#include <torch_tensorrt/torch_tensorrt.h>

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

namespace {

int run(const std::string& path, const std::string& compiled_path,
        const std::vector<std::int64_t>& shape) {
  torchtrt::logging::set_reportable_log_level(torchtrt::logging::Level::kINFO);
  const c10::InferenceMode no_gradients;
  at::manual_seed(0);
  const torch::Tensor example_input = torch::randn(shape);

  torch::jit::Module module = torch::jit::load(path);
  module.eval();
  torchtrt::ts::CompileSpec compile_spec({example_input});
  auto trt_module = torchtrt::ts::CompileGraph(module, compile_spec);

  const torch::Tensor expected = module.forward({example_input}).toTensor();
  const torch::Tensor got = trt_module.forward({example_input}).toTensor();
  const double scale = std::max(expected.abs().max().item<double>(), 1e-30);
  const double error = (got - expected).abs().max().item<double>() / scale;
  std::printf("%s\nrelative error %.1e\n", torchtrt::ts::get_report(trt_module).c_str(), error);

  trt_module.save(compiled_path);
  std::printf("saved %s\n", compiled_path.c_str());
  return error <= 1e-4 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: %s model.ts compiled.ts [size...]\n", argv[0]);
    return 2;
  }
  try {
    std::vector<std::int64_t> shape = {1, 3, 224, 224};
    if (argc > 3) {
      shape.clear();
      for (int i = 3; i < argc; ++i) shape.push_back(std::stoll(argv[i]));
    }
    return run(argv[1], argv[2], shape);
  } catch (const c10::Error& error) {
    std::fprintf(stderr, "%s\n", error.what_without_backtrace());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
  }
  return 1;
}
