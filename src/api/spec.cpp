#include "api/spec.h"

#include <limits>

#include "core/error.h"

namespace torch_tensorrt {

GraphInputs::GraphInputs(std::vector<std::vector<std::int64_t>> shapes) {
  for (auto& shape : shapes) inputs.emplace_back(std::move(shape));
}
GraphInputs::GraphInputs(std::vector<Input> inputs) : inputs(std::move(inputs)) {}
GraphInputs::GraphInputs(torch::jit::IValue input_signature)
    : input_signature(std::move(input_signature)) {}

namespace torchscript {

CompileSpec::CompileSpec(std::initializer_list<at::Tensor> examples)
    : CompileSpec(std::vector<at::Tensor>(examples)) {}
CompileSpec::CompileSpec(std::initializer_list<Input> inputs)
    : CompileSpec(std::vector<Input>(inputs)) {}
CompileSpec::CompileSpec(std::initializer_list<std::vector<std::int64_t>> shapes)
    : graph_inputs(std::vector<std::vector<std::int64_t>>(shapes)) {}
CompileSpec::CompileSpec(std::vector<at::Tensor> examples)
    : graph_inputs(std::vector<Input>(examples.begin(), examples.end())) {}
CompileSpec::CompileSpec(std::vector<Input> inputs) : graph_inputs(std::move(inputs)) {}
CompileSpec::CompileSpec(std::vector<std::vector<std::int64_t>> shapes)
    : graph_inputs(std::move(shapes)) {}
CompileSpec::CompileSpec(const std::vector<c10::IntArrayRef>& shapes)
    : graph_inputs(std::vector<Input>(shapes.begin(), shapes.end())) {}
CompileSpec::CompileSpec(torch::jit::IValue input_signature)
    : graph_inputs(std::move(input_signature)) {}

}  // namespace torchscript

namespace api {
namespace {

// ---- settings: one overload per public type; a setting without a public field does not compile
// ----

void assign(bool& to, bool from) { to = from; }
void assign(std::string& to, const std::string& from) { to = from; }
void assign(core::Strings& to, const std::vector<std::string>& from) { to = from; }
void assign(std::int64_t& to, std::int64_t from) { to = from; }
void assign(std::int64_t& to, std::uint64_t from) {
  constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  to = static_cast<std::int64_t>(std::min(from, most));
}

void assign(std::string& to, EngineCapability from) {
  switch (from) {
    case EngineCapability::kSTANDARD:
      to = "standard";
      return;
    case EngineCapability::kSAFETY:
      to = "safety";
      return;
    case EngineCapability::kDLA_STANDALONE:
      to = "dla_standalone";
      return;
  }
}

core::DType precision(DataType dtype) {
  switch (DataType::Value(dtype)) {
    case DataType::kFloat:
      return core::DType::f32;
    case DataType::kHalf:
      return core::DType::f16;
    case DataType::kBFloat16:
      return core::DType::bf16;
    case DataType::kChar:
      return core::DType::i8;
    default:
      throw core::invalid_argument("enabled_precisions contains ", dtype,
                                   ", expected kFloat, kHalf, kBFloat16 or kChar");
  }
}

void assign(core::Precisions& to, const std::set<DataType>& from) {
  to = {core::DType::f32};
  for (const DataType dtype : from) to.insert(precision(dtype));
}

std::string device_type(Device::DeviceType type) {
  switch (Device::DeviceType::Value(type)) {
    case Device::DeviceType::kGPU:
      return "gpu";
    case Device::DeviceType::kDLA:
      return "dla";
    case Device::DeviceType::kCPU:
      return "cpu";
    case Device::DeviceType::kAuto:
      break;
  }
  return "auto";
}

/// A spec with the settings of its device beside the others.
struct FlatSpec : torchscript::CompileSpec {
  explicit FlatSpec(const torchscript::CompileSpec& spec)
      : CompileSpec(spec),
        device_type(api::device_type(spec.device.device_type)),
        gpu_id(spec.device.gpu_id),
        dla_core(spec.device.dla_core),
        allow_gpu_fallback(spec.device.allow_gpu_fallback) {}
  std::string device_type;
  std::int64_t gpu_id, dla_core;
  bool allow_gpu_fallback;
};

// ---- inputs ----

std::optional<at::ScalarType> scalar_type(DataType dtype) {
  switch (DataType::Value(dtype)) {
    case DataType::kLong:
      return at::kLong;
    case DataType::kDouble:
      return at::kDouble;
    case DataType::kFloat:
      return at::kFloat;
    case DataType::kHalf:
      return at::kHalf;
    case DataType::kBFloat16:
      return at::kBFloat16;
    case DataType::kChar:
      return at::kChar;
    case DataType::kByte:
      return at::kByte;
    case DataType::kInt:
      return at::kInt;
    case DataType::kBool:
      return at::kBool;
    case DataType::kUnknown:
      break;
  }
  return std::nullopt;
}

compiler::Signature leaf(const Input& input) {
  compiler::InputSpec spec;
  spec.min = input.min_shape;
  spec.opt = input.opt_shape;
  spec.max = input.max_shape;
  spec.dtype = scalar_type(input.dtype);
  spec.channels_last = input.format == TensorFormat::kChannelsLast;
  return compiler::Signature::leaf(std::move(spec));
}

compiler::Signature tree(const c10::IValue& value) {
  using Kind = compiler::Signature::Kind;
  if (value.isTensor()) return leaf(Input(value.toTensor()));
  if (value.isCustomClass()) return leaf(*value.toCustomClass<Input>());
  compiler::Signature signature;
  if (value.isTuple()) {
    signature.kind = Kind::tuple;
    for (const c10::IValue& element : value.toTupleRef().elements()) {
      signature.elements.push_back(tree(element));
    }
  } else if (value.isList()) {
    signature.kind = Kind::list;
    for (const c10::IValue& element : value.toListRef()) {
      signature.elements.push_back(tree(element));
    }
  } else if (value.isGenericDict()) {
    signature.kind = Kind::dict;
    for (const auto& entry : value.toGenericDict()) {
      signature.keys.push_back(entry.key().toStringRef());
      signature.elements.push_back(tree(entry.value()));
    }
  } else {
    throw core::invalid_argument("input_signature contains a ", value.tagKind(),
                                 ", expected tensors and Inputs in tuples, lists and dicts");
  }
  return signature;
}

}  // namespace

core::Settings to_settings(const torchscript::CompileSpec& spec) {
  const FlatSpec flat(spec);
  core::Settings settings;
#define TORCHTRT_ASSIGN(name, type, default_, doc) assign(settings.name, flat.name);
  TORCHTRT_SETTINGS(TORCHTRT_ASSIGN)
#undef TORCHTRT_ASSIGN
  // Once more by name, for the checks of their ranges.
  for (const core::SettingInfo& info : core::setting_table()) {
    core::set_setting(settings, info.name, core::get_setting(settings, info.name));
  }
  return settings;
}

compiler::Signature to_signature(const GraphInputs& inputs) {
  if (!inputs.input_signature.isNone()) {
    compiler::Signature root = tree(inputs.input_signature);
    if (root.kind == compiler::Signature::Kind::tuple) return root;
    return compiler::Signature::tuple({std::move(root)});
  }
  std::vector<compiler::Signature> leaves;
  for (const Input& input : inputs.inputs) leaves.push_back(leaf(input));
  return compiler::Signature::tuple(std::move(leaves));
}

}  // namespace api
}  // namespace torch_tensorrt
