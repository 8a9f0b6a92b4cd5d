// Names, conversions and checks of the public value types.

#include <algorithm>
#include <array>
#include <ostream>

#include "core/error.h"
#include "core/text.h"
#include "torch_tensorrt/torch_tensorrt.h"

namespace torch_tensorrt {
namespace {

struct DataTypeRow {
  DataType::Value value;
  at::ScalarType scalar_type;
  std::string_view name;
};
constexpr auto kDataTypes =
    std::to_array<DataTypeRow>({{DataType::kLong, at::kLong, "int64"},
                                {DataType::kDouble, at::kDouble, "float64"},
                                {DataType::kFloat, at::kFloat, "float32"},
                                {DataType::kHalf, at::kHalf, "float16"},
                                {DataType::kBFloat16, at::kBFloat16, "bfloat16"},
                                {DataType::kChar, at::kChar, "int8"},
                                {DataType::kByte, at::kByte, "uint8"},
                                {DataType::kInt, at::kInt, "int32"},
                                {DataType::kBool, at::kBool, "bool"},
                                {DataType::kUnknown, at::ScalarType::Undefined, "unknown"}});

std::string names_of_data_types() {
  std::vector<std::string_view> names;
  for (const DataTypeRow& row : kDataTypes) {
    if (row.value != DataType::kUnknown) names.push_back(row.name);
  }
  return core::join(names);
}

std::string show(const Input::Sizes& sizes) { return core::text('[', core::join(sizes), ']'); }

/// The common part of all constructors.
Input make_input(Input::Sizes min, Input::Sizes opt, Input::Sizes max) {
  bool ordered = min.size() == opt.size() && opt.size() == max.size();
  for (std::size_t i = 0; ordered && i < min.size(); ++i) {
    ordered = 0 <= min[i] && min[i] <= opt[i] && opt[i] <= max[i];
  }
  if (!ordered) {
    throw core::invalid_argument("input has min_shape ", show(min), ", opt_shape ", show(opt),
                                 ", max_shape ", show(max),
                                 ", expected equal ranks and 0 <= min <= opt <= max");
  }
  Input input;
  for (std::size_t i = 0; i < min.size(); ++i) {
    input.shape.push_back(min[i] == max[i] ? min[i] : -1);
  }
  input.min_shape = std::move(min);
  input.opt_shape = std::move(opt);
  input.max_shape = std::move(max);
  return input;
}

void check_domain(const std::vector<double>& domain) {
  if (domain.size() == 2 && domain[0] < domain[1]) return;
  throw core::invalid_argument("input has tensor_domain [", core::join(domain),
                               "], expected two numbers, low < high");
}

const auto input_class [[maybe_unused]] =
    torch::class_<Input>("_torch_tensorrt", "Input").def(torch::init<>());

}  // namespace

// ---- DataType, TensorFormat, Device ----

DataType::DataType(at::ScalarType type) {
  const auto row = std::ranges::find(kDataTypes, type, &DataTypeRow::scalar_type);
  if (row == kDataTypes.end()) {
    throw core::invalid_argument("dtype is ", c10::toString(type), ", expected one of ",
                                 names_of_data_types());
  }
  value_ = row->value;
}

std::ostream& operator<<(std::ostream& stream, const DataType& dtype) {
  const auto row = std::ranges::find(kDataTypes, DataType::Value(dtype), &DataTypeRow::value);
  return stream << (row == kDataTypes.end() ? "invalid" : row->name);
}

TensorFormat::TensorFormat(at::MemoryFormat format) {
  switch (format) {
    case at::MemoryFormat::Contiguous:
      value_ = kContiguous;
      return;
    case at::MemoryFormat::ChannelsLast:
      value_ = kChannelsLast;
      return;
    default:
      throw core::invalid_argument("memory format is ", format,
                                   ", expected Contiguous or ChannelsLast");
  }
}

std::ostream& operator<<(std::ostream& stream, const TensorFormat& format) {
  switch (TensorFormat::Value(format)) {
    case TensorFormat::kContiguous:
      return stream << "contiguous";
    case TensorFormat::kChannelsLast:
      return stream << "channels_last";
    case TensorFormat::kUnknown:
      break;
  }
  return stream << "unknown";
}

Device::DeviceType::DeviceType(c10::DeviceType type) {
  if (type != c10::DeviceType::CUDA && type != c10::DeviceType::CPU) {
    throw core::invalid_argument("device type is ", type, ", expected CUDA or CPU");
  }
  value_ = type == c10::DeviceType::CUDA ? kGPU : kCPU;
}

// ---- Input ----

Input::Input(Sizes shape, TensorFormat format) : Input(make_input(shape, shape, shape)) {
  this->format = format;
}
Input::Input(Sizes shape, std::vector<double> tensor_domain, TensorFormat format)
    : Input(std::move(shape), format) {
  check_domain(tensor_domain);
  this->tensor_domain = std::move(tensor_domain);
}
Input::Input(Sizes shape, DataType dtype, TensorFormat format) : Input(std::move(shape), format) {
  this->dtype = dtype;
}
Input::Input(Sizes shape, DataType dtype, std::vector<double> tensor_domain, TensorFormat format)
    : Input(std::move(shape), std::move(tensor_domain), format) {
  this->dtype = dtype;
}
Input::Input(Sizes min_shape, Sizes opt_shape, Sizes max_shape, TensorFormat format)
    : Input(make_input(std::move(min_shape), std::move(opt_shape), std::move(max_shape))) {
  this->format = format;
}
Input::Input(Sizes min_shape, Sizes opt_shape, Sizes max_shape, std::vector<double> tensor_domain,
             TensorFormat format)
    : Input(std::move(min_shape), std::move(opt_shape), std::move(max_shape), format) {
  check_domain(tensor_domain);
  this->tensor_domain = std::move(tensor_domain);
}
Input::Input(Sizes min_shape, Sizes opt_shape, Sizes max_shape, DataType dtype, TensorFormat format)
    : Input(std::move(min_shape), std::move(opt_shape), std::move(max_shape), format) {
  this->dtype = dtype;
}
Input::Input(Sizes min_shape, Sizes opt_shape, Sizes max_shape, DataType dtype,
             std::vector<double> tensor_domain, TensorFormat format)
    : Input(std::move(min_shape), std::move(opt_shape), std::move(max_shape),
            std::move(tensor_domain), format) {
  this->dtype = dtype;
}
Input::Input(at::Tensor tensor) : Input(tensor.sizes().vec(), DataType(tensor.scalar_type())) {
  const bool channels_last = !tensor.is_contiguous() && tensor.dim() == 4 &&
                             tensor.is_contiguous(at::MemoryFormat::ChannelsLast);
  if (channels_last) format = TensorFormat::kChannelsLast;
}

std::ostream& operator<<(std::ostream& stream, const Input& input) {
  stream << "Input(";
  if (input.min_shape == input.max_shape) {
    stream << "shape=" << show(input.shape);
  } else {
    stream << "min_shape=" << show(input.min_shape) << ", opt_shape=" << show(input.opt_shape)
           << ", max_shape=" << show(input.max_shape);
  }
  return stream << ", dtype=" << input.dtype << ", format=" << input.format << ')';
}

}  // namespace torch_tensorrt
