// The public C++ API: every way to spell the inputs of a CompileSpec, and what it becomes for the
// compiler.

#include <sstream>

#include "api/spec.h"
#include "core/engine.h"
#include "harness.h"
#include "torch_tensorrt/torch_tensorrt.h"

namespace {

using torchtrt::DataType;
using torchtrt::Input;
using torchtrt::TensorFormat;
using torchtrt::ts::CompileSpec;
using Shape = std::vector<std::int64_t>;
namespace api = torch_tensorrt::api;
namespace core = torch_tensorrt::core;
using Kind = torch_tensorrt::compiler::Signature::Kind;

std::vector<Shape> opt_shapes(const CompileSpec& spec) {
  std::vector<Shape> shapes;
  for (const auto& leaf : api::to_signature(spec.graph_inputs).elements) {
    shapes.push_back(leaf.input.opt);
  }
  return shapes;
}

TEST(compile_spec_from_example_tensors) {
  const at::Tensor x = at::zeros({1, 3, 8, 8}), y = at::zeros({2}, at::kLong);
  CompileSpec one({x});
  CHECK_EQ(opt_shapes(one), std::vector<Shape>{{1, 3, 8, 8}});
  CompileSpec two({x, y});
  CHECK_EQ(opt_shapes(two), std::vector<Shape>{{1, 3, 8, 8}, {2}});
  CHECK(two.graph_inputs.inputs[1].dtype == DataType::kLong);
  const std::vector<at::Tensor> list = {x, y};
  CHECK_EQ(opt_shapes(CompileSpec(list)), opt_shapes(two));
}

TEST(compile_spec_from_shapes) {
  const std::vector<Shape> expected = {{1, 3, 4}};
  const Shape shape = {1, 3, 4};
  const at::Tensor x = at::zeros(shape);
  CHECK_EQ(opt_shapes(CompileSpec({{1, 3, 4}})), expected);
  CHECK_EQ(opt_shapes(CompileSpec({shape})), expected);
  CHECK_EQ(opt_shapes(CompileSpec({x.sizes()})), expected);
  CHECK_EQ(opt_shapes(CompileSpec(std::vector<Shape>{shape})), expected);
  CHECK_EQ(opt_shapes(CompileSpec(std::vector<c10::IntArrayRef>{x.sizes()})), expected);
  CHECK_EQ(opt_shapes(CompileSpec({{1, 2}, {3}})), std::vector<Shape>{{1, 2}, {3}});
  CHECK(CompileSpec({shape}).graph_inputs.inputs[0].dtype == DataType::kUnknown);
}

TEST(compile_spec_from_inputs) {
  const Input input({1, 8}, {4, 8}, {16, 8});
  const std::vector<Shape> expected = {{4, 8}};
  CHECK_EQ(opt_shapes(CompileSpec({input})), expected);
  CHECK_EQ(opt_shapes(CompileSpec(std::vector<Input>{input})), expected);
  CHECK_EQ(opt_shapes(CompileSpec({Input({4, 8}, torch::kHalf)})), expected);
  CHECK_EQ(input.shape, Shape{-1, 8});
}

TEST(compile_spec_from_a_signature) {
  const at::Tensor x = at::zeros({2, 3});
  c10::Dict<std::string, at::Tensor> dict;
  dict.insert("a", x);
  const c10::IValue input(c10::make_intrusive<Input>(Shape{4, 5}));
  const auto signature = c10::ivalue::Tuple::create(
      {c10::IValue(std::vector<at::Tensor>{x, x}), c10::IValue(dict), input});
  CompileSpec spec{c10::IValue(signature)};
  const auto tree = api::to_signature(spec.graph_inputs);
  CHECK_EQ(tree.elements.size(), 3U);
  CHECK(tree.elements[0].kind == Kind::list);
  CHECK(tree.elements[1].kind == Kind::dict);
  CHECK_EQ(tree.elements[1].keys, std::vector<std::string>{"a"});
  CHECK_EQ(tree.elements[2].input.opt, Shape{4, 5});
  CHECK_EQ(api::to_signature(CompileSpec(c10::IValue(x)).graph_inputs).elements.size(), 1U);
  CHECK_THROWS(api::to_signature(CompileSpec(c10::IValue(3)).graph_inputs),
               "input_signature contains a Int, expected tensors");
}

TEST(input_constructors) {
  const at::Tensor x = at::zeros({2, 4, 3, 3});
  CHECK_EQ(Input(x.sizes()).opt_shape, Shape{2, 4, 3, 3});
  CHECK_EQ(Input(x.sizes(), x.sizes(), x.sizes()).shape, Shape{2, 4, 3, 3});
  CHECK(Input(x.sizes(), x.sizes(), x.sizes(), torch::kInt).dtype == DataType::kInt);
  CHECK(Input(x.sizes(), torch::kHalf).dtype == DataType::kHalf);
  CHECK(Input({2, 4}, DataType::kBool).dtype == DataType::kBool);
  CHECK(Input({2, 4, 3, 3}, TensorFormat::kChannelsLast).format == TensorFormat::kChannelsLast);
  CHECK_EQ(Input({2, 4}, {0.0, 5.0}).tensor_domain, std::vector<double>{0, 5});
  CHECK_EQ(Input({2, 4}, DataType::kInt, {0.0, 5.0}).tensor_domain, std::vector<double>{0, 5});
  CHECK(Input(x.contiguous(at::MemoryFormat::ChannelsLast)).format == TensorFormat::kChannelsLast);
  std::ostringstream text;
  text << Input({1, 8}, {4, 8}, {16, 8}, torch::kHalf);
  CHECK_EQ(text.str(),
           "Input(min_shape=[1, 8], opt_shape=[4, 8], max_shape=[16, 8], dtype=float16, "
           "format=contiguous)");
}

TEST(input_refuses_what_does_not_fit) {
  CHECK_THROWS(Input({2, 8}, {1, 8}, {16, 8}), "expected equal ranks and 0 <= min <= opt <= max");
  CHECK_THROWS(Input({2}, {2, 8}, {16, 8}), "min_shape [2], opt_shape [2, 8]");
  CHECK_THROWS(Input({2, 4}, {5.0, 1.0}), "tensor_domain [5, 1]");
  CHECK_THROWS(DataType(torch::kComplexFloat), "dtype is ComplexFloat, expected one of int64");
  CHECK_THROWS(TensorFormat(at::MemoryFormat::ChannelsLast3d),
               "expected Contiguous or ChannelsLast");
}

TEST(compile_spec_gives_every_setting) {
  CompileSpec spec({{1, 2}});
  const core::Settings defaults = api::to_settings(spec);
  for (const core::SettingInfo& info : core::setting_table()) {
    CHECK(core::get_setting(defaults, info.name) == core::get_setting({}, info.name));
  }
  spec.engine = "reference";
  spec.enabled_precisions = {torch::kHalf, DataType::kChar};
  spec.device.device_type = torchtrt::Device::DeviceType::kDLA;
  spec.device.dla_core = 1;
  spec.capability = torchtrt::EngineCapability::kSAFETY;
  spec.min_block_size = 9;
  const core::Settings settings = api::to_settings(spec);
  CHECK_EQ(settings.engine, "reference");
  CHECK(settings.enabled_precisions ==
        core::Precisions{core::DType::f32, core::DType::f16, core::DType::i8});
  CHECK_EQ(settings.device_type, "dla");
  CHECK_EQ(settings.dla_core, 1);
  CHECK_EQ(settings.capability, "safety");
  CHECK_EQ(settings.min_block_size, 9);
  spec.min_block_size = 0;
  CHECK_THROWS(api::to_settings(spec), "'min_block_size' is 0");
  spec.min_block_size = 1;
  spec.enabled_precisions = {DataType::kLong};
  CHECK_THROWS(api::to_settings(spec), "enabled_precisions contains int64");
}

TEST(build_info_names_versions_and_engines) {
  const std::string info = torchtrt::get_build_info();
  CHECK(info.find(std::string("Torch-TensorRT: ") + TORCH_TENSORRT_VERSION) == 0);
  for (const std::string& name : core::engine_plugin_names()) {
    CHECK(info.find("Engine " + name + ": ") != std::string::npos);
  }
}

TEST(set_device_needs_a_gpu_of_that_index) {
  CHECK_THROWS(torchtrt::set_device(4096), "GPU id is 4096, expected one of the");
}

TEST(logging_is_the_cores) {
  const auto level = torchtrt::logging::get_reportable_log_level();
  torchtrt::logging::set_reportable_log_level(torchtrt::logging::Level::kGRAPH);
  CHECK(torchtrt::logging::get_reportable_log_level() == torchtrt::logging::Level::kGRAPH);
  torchtrt::logging::set_reportable_log_level(level);
}

}  // namespace
