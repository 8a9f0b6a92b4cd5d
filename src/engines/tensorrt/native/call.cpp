#include "engines/tensorrt/native/call.h"

#include <algorithm>

#include "core/error.h"
#include "engines/tensorrt/native/classes.h"
#include "engines/tensorrt/native/versions.h"

namespace torch_tensorrt::engines::tensorrt {

using nvinfer1::DataType;
using nvinfer1::Dims;

namespace {

std::string text_of(const Script& script, const Step& step) {
  Script one;
  one.steps = {step};
  one.weights = script.weights;
  std::string text = one.to_text();
  text.pop_back();
  return text;
}

}  // namespace

std::string tensorrt_name() {
  return core::text(kProduct, ' ', NV_TENSORRT_MAJOR, '.', NV_TENSORRT_MINOR);
}

void Call::refuse(const std::string& why) const {
  throw core::unsupported("[engine tensorrt] `", text_of(script_, step_), "`: ", why);
}

void Call::defect(const std::string& why) const {
  throw core::internal_error("[engine tensorrt] `", text_of(script_, step_), "`: ", why);
}

nvinfer1::ITensor& Call::tensor(Ref ref) const {
  const Object object = ref.id < objects_.size() ? objects_[ref.id] : Object();
  if (object.type != &class_of<nvinfer1::ITensor>()) {
    defect(core::text('%', ref.id, " is not a tensor"));
  }
  return *static_cast<nvinfer1::ITensor*>(object.pointer);
}

std::vector<nvinfer1::ITensor*> Call::tensors(const Argument& argument) const {
  std::vector<nvinfer1::ITensor*> out;
  for (const Ref ref : expect<std::vector<Ref>>(argument, "a list of tensors")) {
    out.push_back(&tensor(ref));
  }
  return out;
}

std::vector<float> Call::floats(const Argument& argument) const {
  // A list of doubles is read here once an Argument can hold one.
  const Ints& values = expect<Ints>(argument, "a list of numbers");
  return {values.begin(), values.end()};
}

std::int64_t Call::integer(const Argument& argument, std::int64_t lowest,
                           std::int64_t highest) const {
  const std::int64_t value = expect<std::int64_t>(argument, "an integer");
  if (value < lowest || value > highest) {
    defect(core::text(value, " is outside of ", lowest, "..", highest));
  }
  return value;
}

double Call::number(const Argument& argument) const {
  if (const auto* value = std::get_if<std::int64_t>(&argument)) return static_cast<double>(*value);
  return expect<double>(argument, "a number");
}

Dims Call::dims(const Argument& argument) const {
  const Ints& values = expect<Ints>(argument, "a list of integers");
  if (values.size() > Dims::MAX_DIMS) {
    refuse(core::text(values.size(), " dimensions, TensorRT takes at most ", +Dims::MAX_DIMS));
  }
  Dims out{static_cast<std::int32_t>(values.size()), {}};
  std::ranges::copy(values, out.d);
  return out;
}

nvinfer1::Permutation Call::permutation(const Argument& argument) const {
  const Dims order = dims(argument);
  nvinfer1::Permutation out{};
  std::ranges::transform(order.d, out.order, [](std::int64_t n) { return static_cast<int>(n); });
  return out;
}

DataType Call::data_type(DType dtype) const {
  switch (dtype) {
    case DType::f32:
      return DataType::kFLOAT;
    case DType::f16:
      return DataType::kHALF;
    case DType::bf16:
      return DataType::kBF16;
    case DType::i64:
      return DataType::kINT64;
    case DType::i32:
      return DataType::kINT32;
    case DType::i8:
      return DataType::kINT8;
    case DType::u8:
      return DataType::kUINT8;
    case DType::b:
      return DataType::kBOOL;
    case DType::i4:
      return DataType::kINT4;
    case DType::f8:
      return DataType::kFP8;
    case DType::f4:
      return DataType::kFP4;
    case DType::f64:
      break;
  }
  refuse(core::text("TensorRT has no type ", core::name(dtype)));
}

namespace {

nvinfer1::PluginFieldType field_type(DType dtype) {
  using nvinfer1::PluginFieldType;
  switch (dtype) {
    case DType::f32:
      return PluginFieldType::kFLOAT32;
    case DType::f16:
      return PluginFieldType::kFLOAT16;
    case DType::bf16:
      return PluginFieldType::kBF16;
    case DType::f64:
      return PluginFieldType::kFLOAT64;
    case DType::i64:
      return PluginFieldType::kINT64;
    case DType::i32:
      return PluginFieldType::kINT32;
    case DType::i8:
      return PluginFieldType::kINT8;
    default:
      return PluginFieldType::kUNKNOWN;  // the Network takes no others
  }
}

}  // namespace

std::vector<nvinfer1::PluginField> Call::fields(const Argument& argument) const {
  std::vector<nvinfer1::PluginField> out;
  for (const Field& field : expect<std::vector<Field>>(argument, "a list of fields")) {
    if (const auto* characters = std::get_if<std::string>(&field.value)) {
      out.emplace_back(field.name.c_str(), characters->data(), nvinfer1::PluginFieldType::kCHAR,
                       static_cast<std::int32_t>(characters->size()));
      continue;
    }
    const auto index = static_cast<std::size_t>(std::get<WeightsRef>(field.value).index);
    const Weights& entry = script_.weights.at(index);
    const std::size_t count =
        entry.bytes.size() * 8 / static_cast<unsigned>(core::bits(entry.dtype));
    out.emplace_back(field.name.c_str(), entry.bytes.data(), field_type(entry.dtype),
                     static_cast<std::int32_t>(count));
  }
  return out;
}

nvinfer1::Weights Call::weights(const Argument& argument) const {
  const auto* ref = std::get_if<WeightsRef>(&argument);
  if (std::holds_alternative<None>(argument) || (ref != nullptr && ref->index < 0)) {
    // Weights that are absent have the type of the layer's input, as in TensorRT's Python API.
    return {as<nvinfer1::ITensor&>(step_.arguments.at(0)).getType(), nullptr, 0};
  }
  const std::int64_t index = expect<WeightsRef>(argument, "weights").index;
  if (index >= static_cast<std::int64_t>(script_.weights.size())) {
    defect(core::text("no weights ", index));
  }
  const Weights& entry = script_.weights[static_cast<std::size_t>(index)];
  const std::size_t count = entry.bytes.size() * 8 / static_cast<unsigned>(core::bits(entry.dtype));
  return {data_type(entry.dtype), entry.bytes.data(), static_cast<std::int64_t>(count)};
}

}  // namespace torch_tensorrt::engines::tensorrt
