#include <algorithm>
#include <array>
#include <set>

#include "core/infer.h"

namespace torch_tensorrt::core {
namespace {

/// What TensorRT has a type of fields for.
constexpr std::array kFieldTypes = {DType::f32, DType::f16, DType::bf16, DType::f64,
                                    DType::i64, DType::i32, DType::i8};

void check_field(const PluginField& field, const Operands& in) {
  const auto* numbers = std::get_if<Tensor>(&field.value);
  if (numbers == nullptr) return;
  in.require(std::ranges::count(kFieldTypes, numbers->dtype) > 0, "C2", "field '", field.name,
             "' is ", numbers->dtype,
             ", expected characters or f32, f16, bf16, f64, i64, i32 or i8");
  checked_type(*numbers, in, "C2");
}

}  // namespace

// C1 plugin and version have names · C2 fields: each name once, of a type of fields, and as many
// bytes as it says · C3 shape inputs: i32 or i64 of rank <= 1 · C4 results: at least one, of rank
// <= 8, 0 <= min <= opt <= max <= 2^40
Results infer(const Plugin& layer, const Operands& in) {
  in.require(!layer.plugin.empty() && !layer.version.empty(), "C1", "the plugin is '", layer.plugin,
             "' of version '", layer.version, "', expected both names");
  std::set<std::string_view> names;
  for (const PluginField& field : layer.fields) {
    in.require(!field.name.empty() && names.insert(field.name).second, "C2", "field '", field.name,
               "' is named twice or not at all, expected unique names");
    check_field(field, in);
  }
  in.require(0 <= layer.shape_inputs && layer.shape_inputs <= in.count(), "C3", "shape_inputs is ",
             layer.shape_inputs, ", expected 0..", in.count());
  for (int i = in.count() - static_cast<int>(layer.shape_inputs); i < in.count(); ++i) {
    in.require_int_index(i, "C3");
    in.require_rank(i, 0, 1, "C3");
  }
  in.require(!layer.results.empty() && layer.results.size() <= kMaxResults, "C4",
             layer.results.size(), " results, expected 1..", kMaxResults);
  Results results;
  for (const TensorType& type : layer.results) {
    in.require(type.rank() <= 8 && std::ranges::all_of(type.dims, is_dim), "C4", "a result is ",
               type, ", expected a rank of at most 8 and 0 <= min <= opt <= max <= 2^40");
    results.push_back({type});
  }
  return results;
}

}  // namespace torch_tensorrt::core
