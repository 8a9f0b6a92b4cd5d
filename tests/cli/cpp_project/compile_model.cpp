// Uses every public name of torch_tensorrt.h and logging.h once:
//
//   compile_model model.ts compiled.ts input.pt output.pt
//
// The model takes f32[2, 8]; what it gives for the input, once compiled, is written.

#include <torch_tensorrt/torch_tensorrt.h>

#include <cstdio>
#include <fstream>
#include <iterator>
#include <sstream>

namespace {

using torchtrt::DataType;
using torchtrt::Device;
using torchtrt::TensorFormat;

void need(bool truth, const char* what) {
  if (!truth) throw std::runtime_error(std::string("not true: ") + what);
}
#define NEED(condition) need(condition, #condition)

template <typename T>
std::string shown(const T& value) {
  std::ostringstream out;
  out << value;
  return out.str();
}

template <typename Call>
std::string error_of(Call call) {
  try {
    call();
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "";
}

void logging() {
  namespace log = torchtrt::logging;
  using log::Level;
  for (const Level level : {Level::kINTERNAL_ERROR, Level::kERROR, Level::kWARNING, Level::kINFO,
                            Level::kDEBUG, Level::kGRAPH}) {
    log::set_reportable_log_level(level);
    NEED(log::get_reportable_log_level() == level);
  }
  log::set_reportable_log_level(Level::kWARNING);
  log::set_logging_prefix("outside: ");
  NEED(log::get_logging_prefix() == "outside: ");
  log::set_is_colored_output_on(true);
  NEED(log::get_is_colored_output_on());
  log::set_is_colored_output_on(false);
  log::log(Level::kWARNING, "a line of the program");
  log::log(Level::kDEBUG, "a line below the level");
}

void types() {
  for (const DataType type :
       {DataType::kLong, DataType::kDouble, DataType::kFloat, DataType::kHalf, DataType::kBFloat16,
        DataType::kChar, DataType::kByte, DataType::kInt, DataType::kBool, DataType::kUnknown}) {
    NEED(!shown(type).empty());
  }
  NEED(DataType(at::kHalf) == DataType::kHalf && DataType::kHalf != DataType(at::kFloat));
  NEED(TensorFormat(at::MemoryFormat::ChannelsLast) == TensorFormat::kChannelsLast);
  NEED(shown(TensorFormat(TensorFormat::kContiguous)) == "contiguous");
  NEED(TensorFormat() == TensorFormat::kUnknown);
  NEED(Device().device_type == Device::DeviceType::kAuto);
  NEED(Device::DeviceType(c10::kCUDA) == Device::DeviceType::kGPU);
  NEED(Device::DeviceType(c10::kCPU) == Device::DeviceType::kCPU);
  const std::string error = error_of([] { (void)Device::DeviceType(c10::kMeta); });
  NEED(error.find(", expected CUDA or CPU") != std::string::npos);
  Device dla{Device::DeviceType::kDLA, 0, 1, true};
  NEED(dla.dla_core == 1 && dla.gpu_id == 0 && dla.allow_gpu_fallback);
}

void inputs() {
  using torchtrt::Input;
  using Sizes = std::vector<std::int64_t>;
  const Sizes min = {1, 8}, opt = {2, 8}, max = {4, 8};
  const std::vector<double> domain = {0, 1};
  const c10::IntArrayRef shape(opt);
  NEED(Input(opt).shape == opt && Input(shape).shape == opt);
  NEED(Input(opt, domain).tensor_domain == domain);
  NEED(Input(opt, DataType::kHalf).dtype == DataType::kHalf);
  NEED(Input(opt, DataType::kHalf, domain).opt_shape == opt);
  NEED(Input(shape, DataType::kHalf, domain, TensorFormat::kContiguous).dtype == DataType::kHalf);
  NEED(Input(min, opt, max).shape == (Sizes{-1, 8}));
  NEED(Input(c10::IntArrayRef(min), shape, c10::IntArrayRef(max)).max_shape == max);
  NEED(Input(min, opt, max, domain).min_shape == min);
  NEED(Input(min, opt, max, DataType::kHalf).dtype == DataType::kHalf);
  NEED(Input(min, opt, max, DataType::kHalf, domain).tensor_domain == domain);
  NEED(Input(at::ones({2, 8})).dtype == DataType::kFloat);
  NEED(Input().format == TensorFormat::kContiguous);
  NEED(shown(Input(opt)).find("shape=[2, 8]") != std::string::npos);
  NEED(error_of([&] { Input(max, opt, min); }).find("expected") != std::string::npos);

  using torchtrt::GraphInputs;
  NEED(GraphInputs(std::vector<Sizes>{opt}).inputs.size() == 1);
  NEED(GraphInputs(std::vector<Input>{Input(opt)}).inputs.size() == 1);
  const auto tree = c10::ivalue::Tuple::create({c10::IValue(at::ones({2, 8}))});
  NEED(!GraphInputs(c10::IValue(tree)).input_signature.isNone());
}

void specs(const at::Tensor& example) {
  using torchtrt::ts::CompileSpec;
  const std::vector<std::int64_t> shape = {2, 8};
  CompileSpec spec({torchtrt::Input(shape, DataType::kFloat)});
  NEED(CompileSpec({example}).graph_inputs.inputs.size() == 1);
  NEED(CompileSpec(std::vector<at::Tensor>{example}).graph_inputs.inputs.size() == 1);
  NEED(CompileSpec(std::vector<std::vector<std::int64_t>>{shape}).graph_inputs.inputs.size() == 1);
  NEED(CompileSpec(std::vector<c10::IntArrayRef>{shape}).graph_inputs.inputs.size() == 1);
  NEED(spec.enabled_precisions == std::set<DataType>{DataType::kFloat});
  NEED(spec.engine == "auto" && spec.capability == torchtrt::EngineCapability::kSTANDARD);
  NEED(torchtrt::EngineCapability::kSAFETY != torchtrt::EngineCapability::kDLA_STANDALONE);
  NEED(spec.min_block_size == 3 && spec.num_avg_timing_iters == 1 && spec.workspace_size == 0);
  NEED(spec.dla_sram_size == 1048576 && spec.dla_local_dram_size == 1073741824);
  NEED(spec.dla_global_dram_size == 536870912);
  NEED(!spec.disable_tf32 && !spec.sparse_weights && !spec.refit && !spec.debug);
  NEED(!spec.truncate_long_and_double && !spec.allow_shape_tensors);
  NEED(!spec.require_full_compilation && spec.torch_executed_ops.empty());
  NEED(spec.torch_executed_modules.empty() && spec.device.gpu_id == 0);
}

torch::IValue read(const char* path) {
  std::ifstream in(path, std::ios::binary);
  return torch::jit::pickle_load({std::istreambuf_iterator<char>(in), {}});
}

at::Tensor compile(const char* model, const char* compiled, const at::Tensor& example) {
  namespace ts = torchtrt::ts;
  torch::jit::Module module = torch::jit::load(model);
  module.eval();
  NEED(ts::check_method_operator_support(module, "forward"));
  NEED(ts::CheckMethodOperatorSupport(module, "forward"));
  ts::CompileSpec spec({example});
  spec.min_block_size = 1;
  torch::jit::Module fast = ts::CompileGraph(module, spec);
  const at::Tensor result = fast.forward({example}).toTensor();
  NEED(at::equal(ts::compile(module, spec).forward({example}).toTensor(), result));
  NEED(ts::get_report(fast).find("1 engine") != std::string::npos);
  NEED(ts::get_report(fast, ts::ReportFormat::kJson).front() == '{');

  const std::string engine = ts::ConvertGraphToTRTEngine(module, "forward", spec);
  NEED(engine == ts::convert_method_to_trt_engine(module, "forward", spec));
  NEED(at::equal(ts::EmbedEngineInNewModule(engine).forward({example}).toTensor(), result));
  torch::jit::Module embedded = ts::embed_engine_in_new_module(engine, Device());
  NEED(at::equal(embedded.forward({example}).toTensor(), result));

  spec.torch_executed_ops = {"aten::relu"};
  spec.require_full_compilation = true;
  NEED(error_of([&] { ts::compile(module, spec); }).find("aten::relu") != std::string::npos);
  fast.save(compiled);
  return result;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) return 2;
  try {
    const c10::InferenceMode no_gradients;
    const at::Tensor example = read(argv[3]).toTensor();
    std::printf("headers %s\n", TORCH_TENSORRT_VERSION);
    std::fflush(stdout);
    torchtrt::dump_build_info();
    NEED(torchtrt::get_build_info().find("C++ ABI: ") != std::string::npos);
    NEED(error_of([] {
           torchtrt::set_device(99);
         }).find("GPUs that PyTorch sees on this machine") != std::string::npos);
    logging();
    types();
    inputs();
    specs(example);
    const std::vector<char> bytes = torch::jit::pickle_save(compile(argv[1], argv[2], example));
    std::ofstream(argv[4], std::ios::binary).write(bytes.data(), bytes.size());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
