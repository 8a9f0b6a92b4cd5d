// Runs a compiled model where there is no compiler: run_model model.ts input.pt output.pt

#include <torch/script.h>

#include <fstream>
#include <iterator>

namespace {

torch::IValue read(const char* path) {
  std::ifstream in(path, std::ios::binary);
  return torch::jit::pickle_load({std::istreambuf_iterator<char>(in), {}});
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  const c10::InferenceMode no_gradients;
  torch::jit::Module model = torch::jit::load(argv[1]);
  const std::vector<char> bytes = torch::jit::pickle_save(model.forward({read(argv[2])}));
  std::ofstream(argv[3], std::ios::binary).write(bytes.data(), bytes.size());
}
