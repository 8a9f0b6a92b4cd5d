#include "engines/reference/tensors.h"

#include <ATen/ATen.h>

#include <cstdint>

#include "core/error.h"

namespace torch_tensorrt::engines::reference {
namespace {

using core::DType;

// Two elements per byte, the low four bits first; each becomes one i8.
at::Tensor unpack_i4(const core::Tensor& constant) {
  at::Tensor result = at::empty(constant.dims, at::kChar);
  auto* out = result.mutable_data_ptr<std::int8_t>();
  const std::byte* bytes = constant.bytes.data();
  for (std::int64_t i = 0; i < result.numel(); ++i) {
    const int nibble = (std::to_integer<int>(bytes[i / 2]) >> (i % 2 * 4)) & 0xf;
    out[i] = static_cast<std::int8_t>(nibble < 8 ? nibble : nibble - 16);
  }
  return result;
}

}  // namespace

at::ScalarType scalar_type(DType dtype) {
  switch (dtype) {
    case DType::f32:
      return at::kFloat;
    case DType::f16:
      return at::kHalf;
    case DType::bf16:
      return at::kBFloat16;
    case DType::f64:
      return at::kDouble;
    case DType::i64:
      return at::kLong;
    case DType::i32:
      return at::kInt;
    case DType::i8:
    case DType::i4:
      return at::kChar;
    case DType::u8:
      return at::kByte;
    case DType::b:
      return at::kBool;
    case DType::f8:
      return at::kFloat8_e4m3fn;
    case DType::f4:
      break;
  }
  throw core::unsupported("reference: ATen has no element type for ", core::name(dtype));
}

at::Tensor constant_tensor(const core::Tensor& constant, at::Device device) {
  if (constant.dtype == DType::i4) return unpack_i4(constant).to(device);
  const auto options = at::TensorOptions().dtype(scalar_type(constant.dtype));
  if (constant.bytes.empty()) return at::empty(constant.dims, options.device(device));

  auto* data = const_cast<std::byte*>(
      constant.bytes.data());  // from_blob has no const form; nothing writes to it
  at::Tensor shared =
      at::from_blob(data, constant.dims, [owner = constant.bytes.owner()](void*) {}, options);
  const bool aligned = reinterpret_cast<std::uintptr_t>(data) % shared.element_size() == 0;
  return aligned ? shared.to(device) : shared.clone().to(device);
}

}  // namespace torch_tensorrt::engines::reference
