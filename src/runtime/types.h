#pragma once

// Network dtypes as PyTorch's, and PyTorch's as words for messages.

#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

#include <string_view>

#include "core/dtype.h"
#include "core/engine.h"
#include "core/error.h"

namespace torch_tensorrt::runtime {

inline at::ScalarType scalar_type(core::DType dtype) {
  switch (dtype) {
    case core::DType::f32:
      return at::kFloat;
    case core::DType::f16:
      return at::kHalf;
    case core::DType::bf16:
      return at::kBFloat16;
    case core::DType::f64:
      return at::kDouble;
    case core::DType::i64:
      return at::kLong;
    case core::DType::i32:
      return at::kInt;
    case core::DType::i8:
      return at::kChar;
    case core::DType::u8:
      return at::kByte;
    case core::DType::b:
      return at::kBool;
    case core::DType::f8:
      return at::kFloat8_e4m3fn;
    case core::DType::i4:
    case core::DType::f4:
      break;
  }
  throw core::incompatible("[runtime] PyTorch has no tensors of dtype ", core::name(dtype),
                           ", so an engine cannot take or give them");
}

/// "float32", as Python prints it without "torch.".
inline std::string_view python_name(at::ScalarType type) {
  switch (type) {
    case at::kFloat:
      return "float32";
    case at::kHalf:
      return "float16";
    case at::kBFloat16:
      return "bfloat16";
    case at::kDouble:
      return "float64";
    case at::kLong:
      return "int64";
    case at::kInt:
      return "int32";
    case at::kShort:
      return "int16";
    case at::kChar:
      return "int8";
    case at::kByte:
      return "uint8";
    case at::kBool:
      return "bool";
    default:
      return c10::toString(type);
  }
}

inline at::Device device_of(const core::EngineDevice& device) {
  if (device.kind == core::DeviceKind::cpu) return at::kCPU;
  return {at::kCUDA, static_cast<c10::DeviceIndex>(device.index)};
}

}  // namespace torch_tensorrt::runtime
