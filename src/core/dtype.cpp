#include "core/dtype.h"

#include <array>

namespace torch_tensorrt::core {
namespace {

struct Entry {
  DType dtype;
  std::string_view name;
  int bits;
};

constexpr auto kTable = std::to_array<Entry>({
    {DType::f32, "f32", 32},
    {DType::f16, "f16", 16},
    {DType::bf16, "bf16", 16},
    {DType::f64, "f64", 64},
    {DType::i64, "i64", 64},
    {DType::i32, "i32", 32},
    {DType::i8, "i8", 8},
    {DType::u8, "u8", 8},
    {DType::b, "b", 8},
    {DType::i4, "i4", 4},
    {DType::f8, "f8", 8},
    {DType::f4, "f4", 4},
});

constexpr bool in_enum_order() {
  for (std::size_t i = 0; i < kTable.size(); ++i) {
    if (static_cast<std::size_t>(kTable[i].dtype) != i) return false;
  }
  return true;
}
static_assert(in_enum_order());

const Entry& entry(DType dtype) { return kTable.at(static_cast<std::size_t>(dtype)); }

}  // namespace

std::string_view name(DType dtype) { return entry(dtype).name; }

std::optional<DType> dtype_from_name(std::string_view name) {
  for (const Entry& e : kTable) {
    if (e.name == name) return e.dtype;
  }
  return std::nullopt;
}

int bits(DType dtype) { return entry(dtype).bits; }

std::int64_t byte_size(DType dtype, std::int64_t count) {
  const int width = bits(dtype);
  return width >= 8 ? count * (width / 8) : (count * width + 7) / 8;
}

}  // namespace torch_tensorrt::core
